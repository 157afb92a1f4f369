"""What every test may rely on."""

import glob
import os
import shutil
import subprocess
import tempfile

import pytest

# Idle threads of LightGBM would otherwise spin, ten times slower on a machine that is shared.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from patronage.config import EngineSection
from patronage.tracking.store import quiet_mlflow

with quiet_mlflow():  # its own modules warn when they are first imported
    import mlflow.pyfunc  # noqa: F401


def needed(server, found):
    """Skip the test without its server; in .ci/run, that is a failure."""
    if not found:
        required = {"CI", "SERVERS_REQUIRED"} & os.environ.keys()
        (pytest.fail if required else pytest.skip)(f"needs {server}")
    return found


def program(name):
    """A program of PostgreSQL, which Debian keeps away from PATH."""
    debian = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return shutil.which(name) or (debian[-1] if debian else None)


@pytest.fixture(scope="session")
def postgres_address():
    """Address of an empty database on a server of the tests' own, on a socket in a folder."""
    needed("PostgreSQL (Debian: postgresql)", program("initdb") and program("pg_ctl"))
    with tempfile.TemporaryDirectory(prefix="patronage-pg-") as folder:
        as_user = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]
        data = os.path.join(folder, "data")

        def run(command, *arguments):
            subprocess.run(
                [*as_user, program(command), "-D", data, *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=folder,
            )

        run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-w", "-l", os.path.join(folder, "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def sql(postgres_address):
    """Run statements in the tests' database; gives the rows of the last one."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(postgres_address, autocommit=True) as connection:

        def run(*statements, table=None, name=None):
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                if table is not None:
                    cursor.adbc_ingest(name, table, mode="append")
                    return None
                return cursor.fetchall() if cursor.description else None

        yield run


@pytest.fixture(scope="session")
def spark_engine():
    """The settings of a Spark engine on this machine; its session, once started, serves all."""
    needed("Java 17 for Spark (Debian: openjdk-17-jre-headless)", shutil.which("java"))
    pytest.importorskip("pyspark")
    options = {
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "3",
        "spark.default.parallelism": "2",
    }
    yield EngineSection(name="spark", spark_master="local[2]", spark_options=options)
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is not None:
        session.stop()
