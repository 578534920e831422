"""No secret and no phone number gets through, whatever text it hides in."""

import json
import logging
import string
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.redaction.masking import SECRET_WORDS, MaskingFilter, mask, mask_personal, mask_tree

CODES = st.text(string.ascii_letters + string.digits, min_size=12, max_size=40).filter(
    lambda code: code != "ONCRMDEALADD"  # stands in a text below as no secret
)
ANY_TEXT = st.text(min_size=4, max_size=40).map(lambda text: "Zq9" + text)
KEYS = st.sampled_from(SECRET_WORDS)


@given(code=CODES, user=st.integers(1, 99999))
def test_a_webhook_code_never_survives(code: str, user: int) -> None:
    path = f"/rest/{user}/{code}/crm.item.list.json"
    for text in (
        f"https://x.bitrix24.ru{path}?start=-1",
        f"Max retries exceeded with url: {path} (Caused by …)",
        json.dumps({"url": f"https://x.bitrix24.ru{path}"}),
        json.dumps({"url": f"https://x.bitrix24.ru{path}"}).replace("/", "\\/"),
        quote(f"https://x.bitrix24.ru{path}", safe=""),
        repr({"url": f"https://x.bitrix24.ru/rest/{user}/{code}/"}),
        f"https://x.bitrix24.ru/rest/api/{user}/{code}/tasks.task.get",
        f"POST /webhooks/source/onDealCreate/{code} HTTP/1.1",
        f"GET /inbound/from-source/{code}?ID=5",
    ):
        assert code not in mask(text), text


@given(key=KEYS, secret=CODES)
def test_a_value_under_a_secret_name_never_survives_in_forms_and_headers(key: str, secret: str) -> None:
    for text in (
        f"https://x.ru/a?{key}={secret}&ID=5",
        f"event=ONCRMDEALADD&auth[{key}]={secret}",
        urlencode({f"auth[{key}]": secret, "ID": "5"}),
        quote(urlencode({f"auth[{key}]": secret}), safe=""),
        f"{key.upper()}: {secret}",
        f"{key} = {secret}",
        f"Access({key}={secret!r}, portal='a')",
        f"Access(portal='a', {key}={secret})",
    ):
        assert secret not in mask(text), text


@given(key=KEYS, secret=ANY_TEXT)
def test_a_value_under_a_secret_name_never_survives_in_json_and_reprs(key: str, secret: str) -> None:
    tree = {"outer": [{key: secret, "ID": "5"}]}
    dumped = json.dumps(secret)[1:-1]
    assert dumped not in mask(json.dumps(tree))
    assert json.dumps(secret, ensure_ascii=False)[1:-1] not in mask(json.dumps(tree, ensure_ascii=False))
    assert repr(secret)[1:-1] not in mask(repr(tree))
    assert "Zq9" not in mask(json.dumps({"body": json.dumps(tree)}))
    assert "Zq9" not in mask(json.dumps(tree)[:-8])  # a cut answer


@given(key=KEYS, secret=ANY_TEXT | st.integers(100000) | st.lists(ANY_TEXT, min_size=1))
def test_a_tree_keeps_its_shape_and_loses_its_secrets(key: str, secret: object) -> None:
    masked = mask_tree({"a": [{key: secret, "title": "Сделка"}], "n": 5})
    assert masked == {"a": [{key: "***", "title": "Сделка"}], "n": 5}


def test_a_tree_hides_what_stands_in_auth_and_inside_strings() -> None:
    tree = {
        "auth": {"domain": "x.bitrix24.ru", "application_token": "s3cret", "member_id": "abc"},
        "auth[application_token]": "s3cret",
        "note": "see https://x.bitrix24.ru/rest/1/s3cret/crm.deal.get",
        "token": "",
    }
    masked = mask_tree(tree)
    assert "s3cret" not in repr(masked)
    assert masked["auth"]["domain"] == "x.bitrix24.ru"
    assert masked["token"] == ""


@pytest.mark.parametrize(
    "text",
    [
        "Сделка 123 передана: token принят, auth в порядке",
        "author=Иванов&tokens_left=5",
        "https://x.bitrix24.ru/crm/deal/details/5/",
        "2024-08-30 10:15:00 INFO done in 0.5 s; UF_CRM_1773568798364 = 1321",
    ],
)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert mask(text) == text
    assert mask_personal(text) == text


def test_passwords_in_addresses_are_hidden() -> None:
    assert mask("amqp://user:p%40ss@mq:5672/") == "amqp://user:***@mq:5672/"


@pytest.mark.parametrize(
    "phone",
    [
        "+79161234567", "8 (916) 123-45-67", "+7 916 123 45 67", "89161234567", "9161234567",
        "+1-202-555-0143", "+44 20 7946 0958", "8.916.123.45.67",
    ],
)  # fmt: skip
def test_phone_numbers_are_hidden(phone: str) -> None:
    assert mask_personal(f"тел. {phone}, Иван") == "тел. [phone], Иван"
    assert mask_personal(f'{{"VALUE": "{phone}"}}') == '{"VALUE": "[phone]"}'


@pytest.mark.parametrize(
    "text",
    [
        "2024-08-29T10:34:19+03:00", "reset at 1724916859", "id 123456789", "at 127.0.0.1:18099 (28147)",
        "Listening at: http://127.0.0.1:18099 (28147)", "localhost:18099 (28147)", "[::]:18099 (1234567)",
        "from 192.168.100.200", "192.168.100.200, 10.0.100.200",
    ],
)  # fmt: skip
def test_dates_moments_ids_and_addresses_are_no_phone_numbers(text: str) -> None:
    assert mask_personal(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("127.0.0.1, 89161234567", "127.0.0.1, [phone]"),
        ("127.0.0.1:80: +79161234567", "127.0.0.1:80: [phone]"),
        ("contact 5:89161234567", "contact 5:[phone]"),
        ("8.91.61.23.45.67", "[phone]"),
        ("10.20.30.40 50 60", "[phone]"),
        ("tel:8916 (1234567)", "tel:[phone])"),
    ],
)
def test_a_phone_number_beside_an_address_is_hidden(text: str, masked: str) -> None:
    assert mask_personal(text) == masked


@given(
    name=st.text(string.ascii_lowercase + ".", min_size=1, max_size=20), zone=st.sampled_from(["ru", "com"])
)
def test_mail_addresses_are_hidden(name: str, zone: str) -> None:
    assert mask_personal(f"<{name}x@mail.{zone}>") == "<[email]>"


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece",
    ["a", "a.", "a@", "1 ", "token=", 'token="', "://", "/rest/1/", "\\", "a:b@", "+7 ", "%5B", "Bearer "],
)
def test_long_texts_take_no_long_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    mask_personal(mask(text))


SECRET_IN_LOG = "Zq9s3cretCode1"
ADDRESS = f"https://x.bitrix24.ru/rest/1/{SECRET_IN_LOG}/crm.deal.get"


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Log secrets in every way through the filter; all that the log then holds."""
    caplog.handler.addFilter(masking := MaskingFilter())
    log = logging.getLogger("test.masking")
    try:
        log.warning("calling %s for %s", ADDRESS, "+79161234567")
        log.warning("params %(token)s in %(url)s", {"token": "5", "url": ADDRESS})
        log.warning(ADDRESS + " %s %s", "one")  # wrong arguments
        log.warning(
            "extra", extra={"token": SECRET_IN_LOG, "tree": {"auth": {"access_token": SECRET_IN_LOG}}}
        )
        try:
            raise OSError(f"cannot reach {ADDRESS}")
        except OSError:
            log.exception("failed", stack_info=True)
    finally:
        caplog.handler.removeFilter(masking)
    return caplog.text + repr([vars(record) for record in caplog.records])


def test_the_log_filter_hides_secrets_in_message_arguments_extras_and_exceptions(
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = logged(caplog)
    assert "OSError: cannot reach https://x.bitrix24.ru/rest/1/***/crm.deal.get" in text
    assert SECRET_IN_LOG not in caplog.text
    assert SECRET_IN_LOG not in text
    assert "9161234567" not in text
