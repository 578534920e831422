"""The language of our sentences, for modules that know nothing of Django.

`gettext` marks a sentence for the catalogue (sync/locale) and says it in the language of the installation.
Until `speak_with` is told by whom, it says the sentence as it is written.
"""

from collections.abc import Callable

Translator = Callable[[str], str]


def _as_written(sentence: str) -> str:
    return sentence


_translator: Translator = _as_written


def speak_with(translator: Translator) -> None:
    """Let `translator` say every sentence from now on; once, when the application starts."""
    global _translator
    _translator = translator


def gettext(sentence: str) -> str:
    """The sentence in the reader's language, its %(places)s still to be filled."""
    return _translator(sentence) if sentence else ""


def gettext_noop(sentence: str) -> str:
    """The sentence as it is, but in the catalogue: a table keeps it, and whoever speaks translates it."""
    return sentence
