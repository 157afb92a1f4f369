"""The families of features in words that need no glossary."""

FAMILY_WORDS = {
    "value_model": "rhythm and pause, by the model of purchases",
    "rfm": "how often, how lately, for how much",
    "rhythm": "pauses between purchases",
    "windows": "purchases and spend of late",
    "trends": "more or less than before",
    "season": "the same weeks last year",
    "lifecycle": "how long a customer",
    "basket": "what is in a basket",
    "returns": "what is sent back",
    "price": "discounts and margins",
    "timing": "weekdays and months",
    "cohort": "when they first came",
    "breadth": "categories bought from",
    "channel": "channels bought by",
    "service": "complaints",
    "payments": "failed payments",
    "engagement": "visits and e-mails",
    "usage": "use of the service",
    "survey": "answers to surveys",
    "subscription": "subscriptions",
    "attributes": "columns of the customers table",
    "own": "features of your own",
}


def family_words(name: str) -> str:
    """The family in words; its name where there are none.

    Examples
    --------
    >>> family_words("returns"), family_words("weather")
    ('what is sent back', 'weather')
    """
    return FAMILY_WORDS.get(name, name)
