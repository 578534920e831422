"""Makes c6f295d.sql.gz and c6f295d.json.gz: an installation of the old version, in the middle of its work.

    git worktree add /srv/interconnector c6f295d && cp -r tests/upgrade /srv/interconnector/tests/
    cd /srv/interconnector && make venv-dev && .venv/bin/python tests/upgrade/make_installation.py .

The old version itself makes every row, with its own web process, worker and stand-in portals; this file
only decides what happens and when. Workers are killed while a portal works for them, so that leases, slots
and intents stay as a power cut leaves them. `c6f295d.sql.gz` is the dump of its SQLite file,
`c6f295d.json.gz` what the two portals hold, when that was, and what must have arrived in the end.

Encrypted columns are readable by the keys of tests/environment.py.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import sqlite3
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

HERE = Path(__file__).resolve().parent
EVENTS = (
    "ONCRMDEALADD",
    "ONCRMDEALUPDATE",
    "ONCRMTIMELINECOMMENTADD",
    "ONCRMTIMELINECOMMENTUPDATE",
)
READING = ("fetch", "contacts", "companies", "products")
PARTIES = ("party", "add_party")
WAITING = 200
FILE = "UF_CRM_1773600000001"


def set_up() -> None:
    """The old version's code and Django, in the environment of its tests."""
    sys.path.insert(0, str(Path.cwd()))
    database = os.environ.get("DATABASE_URL")
    import tests.environment  # noqa: F401, PLC0415  # of the old version: it writes the environment

    os.environ["DATABASE_URL"] = database or f"sqlite:///{tempfile.mkdtemp()}/old.sqlite3"
    os.environ["DJANGO_SETTINGS_MODULE"] = "interconnector.settings"
    os.environ["LOG_LEVEL"] = "ERROR"
    import django  # noqa: PLC0415

    django.setup()


class Story:
    """What happened at the installation until the evening of the upgrade."""

    def __init__(self, site: Any, people: Any) -> None:
        self.site, self.source, self.target, self.people = site, site.source, site.target, people
        self.expected: dict[str, Any] = {"comments": [], "cards": {}, "deals": {}, "kept": {}, "pair": []}

    # --- what people do -------------------------------------------------------------------------------

    def deals(self, count: int, name: str, **fields: Any) -> list[str]:
        """New deals on the source; their events are stored."""
        ids = self.site.seed(count, TITLE=f"{name} {{n}}", **fields)
        self.source.told()
        return ids

    def rich_deals(self, count: int, name: str, **fields: Any) -> list[str]:
        """Deals with product rows and a file, each with a contact and a company of its own."""
        ids = []
        for number in range(1, count + 1):
            title = f"{name} {number}"
            with_contact = {"CONTACT_IDS": [self.contact(title)], "COMPANY_ID": self.company(title)}
            ids += self.site.seed(1, is_silent=True, TITLE=title, **(with_contact | fields))
            self.dress(ids[-1], title)
        self.source.told()
        return ids

    def contact(self, name: str, *, phone: str = "") -> int:
        phones = [{"VALUE": phone or f"+7916{zlib.crc32(name.encode()) % 10**7:07}", "VALUE_TYPE": "WORK"}]
        return int(self.source.call("crm.contact.add", {"fields": {"NAME": name, "PHONE": phones}}))

    def company(self, name: str) -> int:
        return int(self.source.call("crm.company.add", {"fields": {"TITLE": f"ООО {name}"}}))

    def dress(self, deal_id: str, text: str) -> None:
        """Product rows and a file; the event of this write makes the deal travel."""
        rows = [{"PRODUCT_NAME": "Паркет", "PRICE": 100, "QUANTITY": 3}, {"PRODUCT_NAME": text, "PRICE": 10}]
        self.source.call("crm.deal.productrows.set", {"id": deal_id, "rows": rows})
        file = {"fileData": [f"{text}.txt", base64.b64encode(text.encode()).decode()]}
        self.source.call("crm.deal.update", {"id": deal_id, "fields": {FILE: file}})

    def say(self, stand: Any, deal_id: str, text: str, **fields: Any) -> None:
        """A comment on a card, which has to stand on the other card in the end, once."""
        whole = {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal", "COMMENT": text, **fields}
        stand.call("crm.timeline.comment.add", {"fields": whole})
        stand.told()
        self.expected["comments"].append([stand.name, text])

    def robot(self, deal_id: str, text: str) -> None:
        """The source's robot sends a comment for the deal."""
        self.site.webhook("source", ID=deal_id, comments=text)
        self.expected["deals"].setdefault(deal_id, []).append(text)

    def dealer(self, deal_id: str, text: str, **ids: str) -> None:
        """The target's robot reports on its deal; `ids`: how it names it."""
        self.site.webhook("vinipol", **(ids or {"ID": self.twin(deal_id)}), accepted_at=text)
        self.expected["cards"][deal_id] = text

    def twin(self, deal_id: str) -> str:
        """The target's deal of a source deal."""
        [found] = [deal["ID"] for deal in self.target.deals() if deal["ORIGIN_ID"] == deal_id]
        return str(found)

    # --- how workers come to harm ---------------------------------------------------------------------

    def die_after(self, slug: str, steps: str, method: str, *, calls: int) -> None:
        """The portal does what it is asked; the worker is killed before it hears of it."""
        stand = self.stand(slug)
        done = stand.emulator.portal.stats.calls
        wanted = done[method] + calls
        with self.faulty(stand, hang=1.0, hang_seconds=FOR_EVER, methods=[method]):
            self.site.kill_while(slug, steps, lambda: done[method] >= wanted)
            time.sleep(0.5)  # the last of the batch is counted before it is done
        stand.told()

    def die_before(self, slug: str, step: str, method: str) -> None:
        """The worker is killed while the portal has not begun, and never will."""
        stand = self.stand(slug)
        wanted = stand.get("stats")["requests"] + 1
        with self.faulty(stand, latency=FOR_EVER, methods=[method]):
            self.site.kill_while(slug, step, lambda: stand.get("stats")["requests"] >= wanted)

    def stand(self, slug: str) -> Any:
        return self.target if slug == "vinipol" else self.source

    @contextmanager
    def faulty(self, stand: Any, **fault: Any) -> Iterator[None]:
        stand.post("faults", fault)
        yield
        stand.post("faults", {})

    # --- the chapters -----------------------------------------------------------------------------------

    def history(self) -> list[str]:
        """Deals, comments, users and directories that are through; a worker was at work."""
        ids = self.rich_deals(8, "Прежняя")
        pair = [self.contact("Анна", phone="+79990000001"), self.contact("Анна И.", phone="+79990000001")]
        ids += self.rich_deals(1, "Одна и та же", CONTACT_IDS=pair)
        self.expected["pair"] = pair
        self.people.add(5)
        refresh_all()
        self.site.wait_until_idle(seconds=120, arrivals=9)
        for number, deal_id in enumerate(ids[:4]):
            plan = [[f"план {number}.txt", base64.b64encode(b"plan").decode()]]
            self.say(self.source, deal_id, f"Звонил {number}", FILES=plan)
            self.say(self.target, self.twin(deal_id), f"Принято {number}")
            self.dealer(deal_id, f"принято {number}")
            self.robot(deal_id, f"робот {number}")
        self.settle()
        self.site.worker.stop()
        return ids

    def settle(self) -> None:
        """Until our own echoes are through, too."""
        for _ in range(3):
            self.source.told()
            self.target.told()
            self.site.wait_until_idle(seconds=120)

    def failures(self, known: list[str]) -> None:
        """20 jobs that failed, for every reason there is; what was wrong is right again."""
        hidden = [*self.deals(6, "Скрытая"), *known[4:6]]
        for deal_id in known[4:6]:
            self.dealer(deal_id, "отказ")
        self.site.sort("vinipol")
        self.source.post("hide", {"deals": hidden})
        self.site.carry("source", "fetch", "report")
        self.source.post("hide", {"deals": []})
        self.wrong_options()
        with patch("sync.flows.deals.reading.hash_of", broken):
            self.deals(3, "Ошибка")
            self.site.carry("source", "fetch")
        self.made_in_vain = self.exhausted(2, cut=1.0, methods=["crm.item.add"])
        self.exhausted(2, command_error=1.0, methods=["crm.item.add"])

    def wrong_options(self) -> None:
        """Staff made a mistake, and corrected it."""
        routes = Route.objects.filter(slug="vinilam-vinipol")
        right = routes.get().options
        routes.update(options={**right, "comment": "{nobody}"})
        self.deals(5, "Настройка")
        self.site.carry("source", *READING)
        routes.update(options=right)

    def exhausted(self, count: int, **fault: Any) -> list[str]:
        """Creates whose answer is lost, and whose look-up fails until nobody tries any more."""
        ids = self.deals(count, "Напрасно")
        self.site.carry("source", *READING)
        with self.faulty(self.target, **fault):
            self.site.carry("vinipol", "create")
        jobs = Job.objects.filter(kind="deal", source_id__in=ids)
        with self.faulty(self.target, refuse=1.0, refuse_as="error", methods=["crm.item.list"]):
            self.site.try_until_failed(jobs, slug="vinipol", steps=("find",))
        return ids

    def running(self, known: list[str]) -> None:
        """20 jobs whose workers were killed, some of them after the portal had done it."""
        self.deals(6, "Создана")
        self.site.carry("source", *READING)
        self.die_after("vinipol", "create", "crm.item.add", calls=6)
        for deal_id in self.created("Создана"):
            self.dealer(deal_id, f"неизвестно чья {deal_id}")
        self.site.sort("vinipol")
        self.late = self.deals(4, "Не создана")
        self.site.carry("source", *READING)
        self.die_before("vinipol", "create", "crm.item.add")
        self.parties()
        self.deals(2, "Не прочитана")
        self.die_before("source", "fetch", "crm.item.list")
        self.deals(2, "Объявлена")
        self.site.carry("source", *READING)
        self.site.carry("vinipol", "create")
        self.die_after("source", "announce", "crm.timeline.comment.add", calls=2)
        self.say(self.source, known[0], "Записано, но не услышано")
        self.site.carry("source", "read_comment", "read_author")
        self.die_after("vinipol", "write_comment", "crm.timeline.comment.add", calls=1)
        self.people.add(2)
        send_messages()
        self.site.sort("core")
        self.die_after("vinipol", "crm_mode add_lead", "crm.lead.add", calls=2)

    def created(self, name: str) -> list[str]:
        return [deal["ORIGIN_ID"] for deal in self.target.deals() if deal["TITLE"].startswith(name)]

    def parties(self) -> None:
        """Contacts in the making: made already, not made yet, and waited for by another deal."""
        made = self.rich_deals(2, "Контакт создан")
        self.site.carry("source", *READING)
        self.site.carry("vinipol", "party")
        self.die_after("vinipol", "add_party", "crm.item.add", calls=2)
        cards = {str(deal["ID"]): deal for deal in self.source.deals()}
        self.rich_deals(1, "Тот же контакт", CONTACT_IDS=cards[made[0]]["CONTACT_IDS"])
        self.rich_deals(1, "Контакт не создан")
        self.site.carry("source", *READING)
        self.site.carry("vinipol", "party")
        self.die_before("vinipol", "add_party", "crm.item.add")

    def waiting(self, known: list[str]) -> None:
        """200 jobs that wait, at every step where one can wait; what lies deepest comes first."""
        self.deals(10, "К объявлению")
        self.site.carry("source", *READING)
        self.site.carry("vinipol", "create")
        self.lost_creates()
        self.written_parties()
        self.deals(15, "К созданию")
        self.site.carry("source", *READING)
        self.comments(known)
        self.rich_deals(3, "К контактам")
        self.site.carry("source", "fetch")
        for number, deal_id in enumerate(known[6:9]):
            self.dealer(deal_id, f"позже {number}", ID=self.twin(deal_id), ORIGIN_ID=deal_id)
        for deal_id in self.late:  # a job of the same lane runs: these stand behind it
            self.robot(deal_id, f"после создания {deal_id}")
        for deal_id in self.made_in_vain:  # its first job failed; only the intent tells that it may be there
            self.site.webhook("source", ID=deal_id)
        self.people.add(3)
        send_messages()
        add_objects(self.source)
        refresh_all()
        self.site.carry("reference", "read")
        self.unread(known)

    def lost_creates(self) -> None:
        """Intents whose answers were lost a moment ago, with a deal on the target and without."""
        self.deals(8, "Потерян ответ")
        self.site.carry("source", *READING)
        with self.faulty(self.target, cut=1.0, methods=["crm.item.add"]):
            self.site.carry("vinipol", "create")
        self.after_the_breaker()
        self.deals(4, "Потерян запрос")
        self.site.carry("source", *READING)
        with self.faulty(self.target, command_error=1.0, methods=["crm.item.add"]):
            self.site.carry("vinipol", "create")

    def after_the_breaker(self) -> None:
        Pace.objects.update(away_until=0, failures=0)

    def written_parties(self) -> None:
        """Deals with contacts, company, products and file, at each of their steps."""
        self.rich_deals(3, "К товарам")
        self.through_parties()
        self.site.carry("source", "file")
        self.site.carry("vinipol", "create_with_files")
        self.rich_deals(3, "К созданию с файлом")
        self.through_parties()
        self.site.carry("source", "file")
        self.rich_deals(3, "К файлу")
        self.through_parties()
        self.rich_deals(2, "Потерян контакт")
        self.site.carry("source", *READING)
        self.site.carry("vinipol", "party")
        with self.faulty(self.target, cut=1.0, methods=["crm.item.add"]):
            self.site.carry("vinipol", "add_party")
        self.after_the_breaker()
        self.rich_deals(3, "К новому контакту")
        self.site.carry("source", *READING)
        self.site.carry("vinipol", "party")
        self.rich_deals(5, "К поиску контакта")
        self.site.carry("source", *READING)

    def through_parties(self) -> None:
        self.site.carry("source", *READING)
        for _ in range(4):  # contact, then company
            self.site.carry("vinipol", *PARTIES)

    def comments(self, known: list[str]) -> None:
        """Comments that wait, one of them with its answer lost; and on the card of a deal on its way."""
        self.say(self.source, known[1], "Ответ потерян")
        self.site.carry("source", "read_comment", "read_author")
        with self.faulty(self.target, cut=1.0, methods=["crm.timeline.comment.add"]):
            self.site.carry("vinipol", "write_comment")
        self.after_the_breaker()
        self.say(self.source, known[2], "Прочитано", FILES=[["п.txt", base64.b64encode(b"p").decode()]])
        self.say(self.source, self.late[0], "Сделка ещё в пути")
        self.site.carry("source", "read_comment", "read_author", "find_file", "load_file")
        for number in range(3):
            self.say(self.source, known[number], f"Не прочитано {number}")
            self.say(self.target, self.twin(known[number]), f"Не прочитано обратно {number}")
        self.site.sort("vinipol")
        self.site.sort("source")

    def changed_on_both_sides(self, deal_id: str) -> None:
        """The source renames a deal whose contact, rows and file the dealer has taken away."""
        twin = self.twin(deal_id)
        rows = [{"PRODUCT_NAME": "Своё", "PRICE": 5, "QUANTITY": 1}]
        self.target.call("crm.deal.productrows.set", {"id": twin, "rows": rows})
        self.target.call("crm.deal.contact.items.set", {"id": twin, "items": []})
        self.target.call("crm.deal.update", {"id": twin, "fields": {FILE: {"remove": "Y"}}})
        self.source.call("crm.deal.update", {"id": deal_id, "fields": {"TITLE": "Переименована"}})
        self.expected["kept"][deal_id] = twin

    def unread(self, known: list[str]) -> None:
        """Deals nobody has looked at yet: events that joined, a backfill, and as many as 200 want."""
        self.changed_on_both_sides(known[7])
        self.rich_deals(1, "Вторая из двух", CONTACT_IDS=[self.expected["pair"][1]])
        told = self.deals(10, "Дважды")
        self.site.sort("source")
        for deal_id in told:
            self.robot(deal_id, f"сначала {deal_id}")
            self.robot(deal_id, f"потом {deal_id}")
        old = self.site.seed(15, is_silent=True, TITLE="Старая {n}")
        queue(Route.objects.get(slug="vinilam-vinipol"), old)
        for slug in ("source", "vinipol", "core"):
            self.site.sort(slug)
        missing = WAITING - Job.objects.filter(state="waiting").count()
        self.deals(missing, "Новая")
        self.site.sort("source")

    def unsorted(self, known: list[str]) -> None:
        """What came in the last minute: events, one of them twice, users, and a sender that died."""
        self.deals(10, "Неразобранная")
        for _ in range(2):
            self.site.webhook("source", ID=known[3], ts="1700000000")  # sent again by the portal
        self.say(self.source, known[3], "Неразобранный")
        self.say(self.target, self.twin(known[3]), "Неразобранный обратно")
        for number in (1, 2):
            body = {"full_name": f"Последний {number}", "phone": f"+7917000000{number}", "stage": "NEW"}
            headers = {"Idempotency-Key": f"once-{number}"}
            answer = self.people._door.post(f"{self.site.base}/users", json=body, headers=headers, timeout=30)
            answer.raise_for_status()
        self.site.kill_sender()


def add_objects(stand: Any) -> None:
    """More than a page of them, so that a reading of them can be in the middle."""
    rows = [{"IBLOCK_ID": 77, "NAME": f"Объект {n}", "PROPERTY_637": "1469"} for n in range(60)]
    stand.post("seed/elements", {"elements": rows})


def dumped(path: Path, folder: Path) -> None:
    """The database as text."""
    with sqlite3.connect(path) as connection:
        lines = "\n".join(connection.iterdump())
    written(folder / "c6f295d.sql.gz", lines)


def written(path: Path, text: str) -> None:
    """The same bytes for the same text."""
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def told(kind: str) -> None:
    """How many jobs there are, by state, step and reason."""
    rows = (
        Job.objects.values_list("state", "kind", "step", "failure").annotate(n=Count("pk")).order_by("state")
    )
    for row in rows:
        print(kind, *row)


def make(folder: Path) -> None:
    """Everything, then the dump."""
    database = Path(os.environ["DATABASE_URL"].removeprefix("sqlite:///"))
    settings = {name: os.environ[name] for name in ("LANGUAGE_CODE", "LOG_LEVEL")}
    site = OldInstallation(database.parent, os.environ["DATABASE_URL"], portal=PORTAL, settings=settings)
    site.start()
    site.listen(events=EVENTS)
    story = Story(site, People(site))
    known = story.history()
    story.failures(known)
    story.running(known)
    story.waiting(known)
    told("job")
    story.unsorted(known)
    site.web.stop()
    portals = {stand.name: saved(stand.emulator.portal) for stand in (site.source, site.target)}
    story.expected["key"] = story.people._door.headers["X-Api-Key"]
    content = {"made_at": time.time(), "expected": story.expected, "portals": portals}
    written(folder / "c6f295d.json.gz", json.dumps(content, ensure_ascii=False, sort_keys=True, indent=0))
    dumped(database, folder)
    os._exit(0)  # requests that hang would keep us


if __name__ == "__main__":
    set_up()
    from django.db.models import Count
    from old_version import FOR_EVER, PORTAL, OldInstallation, broken, carry, send_and_die
    from portals import saved
    from sync.posting import send as send_messages
    from sync.refreshing import refresh_all
    from sync.rehearsal import People

    from sync.inbox import queue
    from sync.models import Job, Pace, Route

    if sys.argv[1] == "carry":
        carry(*sys.argv[2:])
    elif sys.argv[1] == "send":
        send_and_die()
    else:
        make(Path(sys.argv[1]).resolve())
