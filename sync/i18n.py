"""Translation of our sentences, for modules that may not import Django.

`gettext` marks a sentence for the catalogue (sync/locale) and translates it. Until `set_translator` is
called, sentences stay as they are written.
"""

from collections.abc import Callable

Translator = Callable[[str], str]


def _as_written(sentence: str) -> str:
    return sentence


_translator: Translator = _as_written


def set_translator(translator: Translator) -> None:
    """Translate every sentence with `translator` from now on; called once, when the application starts."""
    global _translator
    _translator = translator


def gettext(sentence: str) -> str:
    """The sentence in the current language, its %(places)s still to be filled."""
    return _translator(sentence) if sentence else ""


def gettext_noop(sentence: str) -> str:
    """The sentence unchanged, but marked for the catalogue: a table holds it, and its user translates it."""
    return sentence
