"""The registered model's aliases: which version scores, which did before, which waits.

Every change is made under the registry's lock. A verdict counts only against the champion that was
in force when it was given: `settle` judges and promotes under one lock, `promote` compares anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from patronage.config import Action
from patronage.errors import DataError, GateError, SettingsError
from patronage.tracking.champion import LoadedModel, usable_champion, version_of
from patronage.tracking.comparing_anew import compared_anew
from patronage.tracking.gate import CHALLENGER, CHAMPION, NOBODY, Verdict
from patronage.tracking.store import MODEL, Store, lock_on, quiet_mlflow

PREVIOUS = "previous_champion"


@dataclass(frozen=True)
class Moved:
    """Who is champion now, and who was before; None where nobody was."""

    champion: str
    previous: str | None

    def __str__(self) -> str:
        """What moved, one alias a line."""
        if self.previous is None:
            return f"champion: version {self.champion} (there was none before)"
        return (
            f"champion: version {self.champion} (was {self.previous})\n"
            f"previous_champion: version {self.previous}"
        )


@dataclass(frozen=True)
class GateTerms:
    """What a comparison goes by: the actions with their costs, and the slopes allowed."""

    actions: Sequence[Action]
    slopes: tuple[float, float]


def settle(
    store: Store,
    version: str,
    judge_against: Callable[[LoadedModel | None], Verdict],
    *,
    promoting: bool = True,
) -> Verdict:
    """Judge a version against the champion in force, keep the verdict, and move the aliases.

    The version becomes challenger. If it passed, and unless promotion is left to a person, it
    becomes champion instead, and the champion before it previous_champion.

    Parameters
    ----------
    judge_against
        Gives the verdict against the champion, or against the baselines alone where there is none
        that this release can read.
    promoting
        Whether a version that passed becomes champion at once.
    """
    with lock_on(store.folder, "registry"):
        verdict = judge_against(usable_champion(store, telling=False))
        with quiet_mlflow():
            in_force = version_of(store, CHAMPION)
            number = None if in_force is None else str(in_force.version)
            verdict = replace(verdict, champion_in_force=number)
            _keep(store, version, verdict)
            store.client.set_registered_model_alias(MODEL, CHALLENGER, version)
            if verdict.passed and promoting:
                _make_champion(store, version, by="gate")
    return verdict


def promote(
    store: Store, terms: GateTerms, *, version: str | None = None, force: bool = False
) -> Moved | None:
    """Make a version champion, and the champion previous_champion; None if it is champion already.

    Parameters
    ----------
    version
        The challenger by default.
    force
        Also one that did not pass the gate.

    Raises
    ------
    DataError
        If there is no challenger.
    SettingsError
        If there is no such version.
    GateError
        If it did not pass the gate, or not against the champion of today.
    """
    with lock_on(store.folder, "registry"), quiet_mlflow():
        asked = _challenger(store) if version is None else _known(store, version)
        champion = version_of(store, CHAMPION)
        if champion is not None and str(champion.version) == str(asked.version):
            return None
        if not force:
            _refuse_unless_passed(store, asked, champion, terms)
        return _make_champion(
            store, str(asked.version), by="promote --force" if force else "promote"
        )


def roll_back(store: Store) -> Moved:
    """Make the previous champion champion again; the other way round the next time.

    Raises
    ------
    DataError
        If there is no previous champion.
    """
    with lock_on(store.folder, "registry"), quiet_mlflow():
        previous, champion = version_of(store, PREVIOUS), version_of(store, CHAMPION)
        if previous is None or (
            champion is not None and str(previous.version) == str(champion.version)
        ):
            raise DataError(
                "there is no previous champion to go back to: "
                + ("no version" if champion is None else f"only version {champion.version}")
                + " has been champion. Promote one by its number: patronage promote --version N"
            )
        return _make_champion(store, str(previous.version), by="rollback")


def _make_champion(store: Store, version: str, *, by: str) -> Moved:
    """Move the aliases, the champion's last: killed in between, the old one is still in force."""
    before, challenger = version_of(store, CHAMPION), version_of(store, CHALLENGER)
    if before is not None:
        store.client.set_registered_model_alias(MODEL, PREVIOUS, str(before.version))
    store.client.set_model_version_tag(MODEL, version, "promoted_by", by)
    store.client.set_registered_model_alias(MODEL, CHAMPION, version)
    if challenger is not None and str(challenger.version) == version:
        store.client.delete_registered_model_alias(MODEL, CHALLENGER)
    return Moved(version, None if before is None else str(before.version))


def _keep(store: Store, version: str, verdict: Verdict) -> None:
    for key, text in verdict.tags().items():
        store.client.set_model_version_tag(MODEL, version, key, text)


def _challenger(store: Store) -> Any:
    found = version_of(store, CHALLENGER)
    if found is None:
        raise DataError(
            "no version waits as challenger. Train one: patronage train, or name a version: "
            "patronage promote --version N"
        )
    return found


def _known(store: Store, version: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return store.client.get_model_version(MODEL, version)
    except MlflowException as error:
        known = store.client.search_model_versions(f"name = '{MODEL}'")
        numbers = ", ".join(sorted((str(one.version) for one in known), key=int)) or "none yet"
        raise SettingsError(
            f"--version {version}: there is no such version. There are: {numbers}."
        ) from error


def _refuse_unless_passed(store: Store, asked: Any, champion: Any, terms: GateTerms) -> None:
    """Go by the verdict if it was given against the champion in force, else give one anew."""
    number, tags = asked.version, asked.tags
    in_force = NOBODY if champion is None else str(champion.version)
    if "gate" not in tags:
        raise GateError(
            f"version {number} has not been judged: its training ended before the gate. Train "
            "anew: patronage train, or promote it all the same: --force"
        )
    passed, text = tags["gate"] == "passed", tags.get("gate.verdict", "")
    if tags.get("gate.champion_in_force") != in_force and champion is not None:
        anew = compared_anew(store, asked, champion, terms.actions, terms.slopes)
        if anew is None:
            raise GateError(
                f"version {number} was judged while version "
                f"{tags.get('gate.champion_in_force', 'unknown')} was champion; version {in_force} "
                "is now, and the two were not judged on the same customers. Train anew: patronage "
                "train, or promote it all the same: --force"
            )
        _keep(store, str(number), anew)
        passed, text = anew.passed, str(anew)
    if not passed:
        raise GateError(
            f"version {number} did not pass the gate:\n{text}\nTo promote it all the same: --force"
        )
