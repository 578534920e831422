"""Names and plain values of fields, both ways."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.connectors.bitrix24 import crm
from sync.connectors.bitrix24.crm.values import as_kept


@pytest.mark.parametrize(
    ("kind", "item", "upper"),
    [
        (crm.DEAL, "id", "ID"),
        (crm.DEAL, "title", "TITLE"),
        (crm.DEAL, "stageId", "STAGE_ID"),
        (crm.DEAL, "stageSemanticId", "STAGE_SEMANTIC_ID"),
        (crm.DEAL, "categoryId", "CATEGORY_ID"),
        (crm.DEAL, "opportunity", "OPPORTUNITY"),
        (crm.DEAL, "isManualOpportunity", "IS_MANUAL_OPPORTUNITY"),
        (crm.DEAL, "currencyId", "CURRENCY_ID"),
        (crm.DEAL, "comments", "COMMENTS"),
        (crm.DEAL, "assignedById", "ASSIGNED_BY_ID"),
        (crm.DEAL, "createdBy", "CREATED_BY_ID"),
        (crm.DEAL, "updatedBy", "MODIFY_BY_ID"),
        (crm.DEAL, "movedBy", "MOVED_BY_ID"),
        (crm.DEAL, "createdTime", "DATE_CREATE"),
        (crm.DEAL, "updatedTime", "DATE_MODIFY"),
        (crm.DEAL, "movedTime", "MOVED_TIME"),
        (crm.DEAL, "begindate", "BEGINDATE"),
        (crm.DEAL, "closedate", "CLOSEDATE"),
        (crm.DEAL, "contactId", "CONTACT_ID"),
        (crm.DEAL, "contactIds", "CONTACT_IDS"),
        (crm.DEAL, "companyId", "COMPANY_ID"),
        (crm.DEAL, "originatorId", "ORIGINATOR_ID"),
        (crm.DEAL, "originId", "ORIGIN_ID"),
        (crm.DEAL, "utmSource", "UTM_SOURCE"),
        (crm.DEAL, "lastActivityTime", "LAST_ACTIVITY_TIME"),
        (crm.DEAL, "parentId1220", "PARENT_ID_1220"),
        (crm.DEAL, "typeId", "TYPE_ID"),
        (crm.DEAL, "UF_CRM_1773568798364", "UF_CRM_1773568798364"),
        (crm.DEAL, "UF_CRM_3_DIGIT10", "UF_CRM_3_DIGIT10"),
        (crm.LEAD, "stageId", "STATUS_ID"),
        (crm.LEAD, "companyTitle", "COMPANY_TITLE"),
        (crm.CONTACT, "lastName", "LAST_NAME"),
        (crm.CONTACT, "companyIds", "COMPANY_IDS"),
        (crm.CONTACT, "originVersion", "ORIGIN_VERSION"),
        (crm.COMPANY, "typeId", "COMPANY_TYPE"),
        (crm.COMPANY, "isMyCompany", "IS_MY_COMPANY"),
    ],
)
def test_names_both_ways(kind: int, item: str, upper: str) -> None:
    assert crm.upper_name(item, kind) == upper
    assert crm.item_name(upper, kind) == item


def test_user_fields_of_portals_without_original_names() -> None:
    assert crm.upper_name("ufCrm_1747309879") == "UF_CRM_1747309879"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (None, ""), (True, "Y"), (False, "N"), (5, "5"), (0, "0"), (-5, "-5"), (5.0, "5"), (999.99, "999.99"),
        (999.9, "999.9"), (1e16, "10000000000000000"), (1e-7, "0.0000001"), ("5.0", "5.0"), ("", ""),
        ([1, 2.0, None], ["1", "2", ""]), ({"a": 1}, {"a": "1"}), ("300|RUB", "300|RUB"),
    ],
)  # fmt: skip
def test_values_are_plain_texts(sent: object, kept: object) -> None:
    assert as_kept(sent) == kept


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("2024-08-30T02:00:00+02:00", "2024-08-30"),
        ("2024-08-30T03:00:00+03:00", "2024-08-30"),
        ("2024-08-30T00:00:00+00:00", "2024-08-30"),
        ("2024-08-29T19:00:00-05:00", "2024-08-30"),
        ("2024-08-30", "2024-08-30"),
        ("", ""),
        ("30.08.2024 10:11:12", "30.08.2024 10:11:12"),
    ],
)
def test_days_are_read_in_utc(sent: str, day: str) -> None:
    assert crm.plain_date(sent) == day


@given(st.dates(date(1970, 1, 2), date(2100, 1, 1)), st.integers(-11, 14))
def test_a_day_survives_every_time_zone(day: date, offset: int) -> None:
    hour = offset % 24
    shown = day if offset >= 0 else date.fromordinal(day.toordinal() - 1)
    assert crm.plain_date(f"{shown}T{hour:02}:00:00{offset:+03}:00") == str(day)
