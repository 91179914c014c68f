#!/usr/bin/env python3
"""Writes the plan files of this folder from the transcriptions in sources/.

    python3 examples/convert.py

Deterministic, standard library only. Texts, codes and deadlines are copied verbatim; what a source does not say is left
out. Every file is checked before any is written: references resolve, ids and codes are unique, counts are the expected.
"""

import calendar
import csv
import json
import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections import Counter
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOUNS = ["legal_acts", "entities", "funding_sources", "strategies", "objectives", "initiatives", "steps", "assignments",
         "timelines", "milestones", "dependencies", "budget_allocations", "reporting_cycles", "indicators", "measurements",
         "treaties", "treaty_actions", "positions", "forums", "commitments",
         "frameworks",
         "evidence", "engagements", "assessments", "answers", "citations"]
REFERENCES = {"legal_act_id": "legal_acts", "entity_id": "entities", "strategy_id": "strategies", "parent_id": "objectives",
              "objective_id": "objectives", "initiative_id": "initiatives", "step_id": "steps",
              "funding_source_id": "funding_sources", "indicator_id": "indicators", "treaty_id": "treaties",
              "forum_id": "forums", "framework_id": "frameworks", "assessment_id": "assessments", "answer_id": "answers",
              "evidence_id": "evidence"}
# A field that means another noun here than elsewhere.
OWN_REFERENCES = {"treaties": {"parent_id": "treaties"}}
KINDS = {"ministry", "agency", "council", "collective", "private", "ngo", "international", "academic", "other"}
UNCHECKED = "Taken from a stored public copy, not compared with the official edition."


def read(name):
    return json.loads((HERE / "sources" / name).read_text(encoding="utf-8"))


def ref(external_id):
    return f"external:{external_id}"


def slug(words):
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")


class Plan:
    """One plan file under construction; empty fields are left out."""

    def __init__(self, prefix, title, origin, terms, completeness, notes):
        self.prefix = prefix
        self.source = {"title": title, "origin": origin, "terms": terms, "completeness": completeness, "notes": notes}
        self.rows = {noun: [] for noun in NOUNS}

    def id(self, *parts):
        return "-".join([self.prefix, *parts])

    def add(self, noun, external_id, **fields):
        row = {"external_id": external_id}
        row.update((key, value) for key, value in fields.items() if value not in (None, "", {}, []))
        self.rows[noun].append(row)
        return external_id

    def assign(self, item, external_id, entity, role, label):
        """`item` is initiative or step, `external_id` its id; the assignment is named after both, its role and its entity."""
        short = external_id.removeprefix(self.prefix + "-")
        name = self.id("assignment", short, role.replace("_", "-"), entity.removeprefix(self.id("entity-")))
        self.add("assignments", name, **{f"{item}_id": ref(external_id)}, entity_id=ref(entity), role=role, source_label=label)

    def leads(self, item, external_id, entities, label):
        """The first is the lead, the others share it: an item has one lead at most."""
        for position, entity in enumerate(entities):
            self.assign(item, external_id, entity, "co_lead" if position else "lead", label)

    def document(self):
        return {"format": "mandate-plan/1", "source": self.source, **{noun: rows for noun, rows in self.rows.items() if rows}}


def origin(source):
    return f"{source['repository']} : {source['path']} @ {source['commit']}"


# --- Türkiye: National Cyber Security Strategy and 2013-2014 Action Plan -----------------------------------------------

# Keys of the transcription that are no acronyms of the source: such entities carry no code.
TR_NO_ACRONYM = {"REGCRIT", "ALLPUB", "UNI", "NGO", "SOME-SECT"}
TR_KINDS = {
    "ministry": "MTMAC MOJ MFA MOI MND MNE MSIT MOD MCT MOE MOF",
    "agency": "UPOS ICTA ICTA-TIB GEND NIO TNP USOM SPA TSE TURKAK PPA",
    "council": "CSC CHE RTUK SCST GSNSC",
    "collective": "REGCRIT ALLPUB SOME SOME-SECT UNI NGO",
    "other": "TLA COS TUBITAK",
}


def turkiye():
    data = read("tr-ncss-2013-2014.json")
    source, labels = data["plan"], data["plan"]["role_labels"]
    steps = [step for group in data["groups"] for action in group["actions"] for step in action["sub_actions"]]
    merged = [step["code"] for step in steps if step["merged_cell"]]
    plan = Plan("tr13", source["title"], origin(source["source"]) + f" ({source['source']['document']})",
                "Government document; no licence stated", "complete", source["transcription_notes"] + [
        "codes of entities are those of the transcription; entities without an acronym carry none; kinds of entities are our reading",
        f"merged_cell=true on the steps {', '.join(merged)}",
        "a sub-action whose deadline column says that it is completed has status completed; an action is completed when all "
        "its sub-actions are, in_progress when some are; every other status is the record's first one, not a statement of the source",
        "the approving act is not in the source: the plan has no legal act, and is closed because its period has ended"])
    kinds = {code: kind for kind, codes in TR_KINDS.items() for code in codes.split()}
    for body in data["organizations"]:
        code = body["code"]
        plan.add("entities", plan.id("entity", code), code=None if code in TR_NO_ACRONYM else code,
                 name={"en": body["name"]}, kind=kinds[code], country="TR")
    strategy = plan.add("strategies", plan.id("plan"), code="tr-ncss-2013-2014", title={"en": source["title"]}, country="TR",
                        kind="action_plan", status="closed", starts_on=source["period"]["start"], ends_on=source["period"]["end"],
                        languages=["en"], source=source["source"]["document"], completeness="complete",
                        evidence_state="proposed", evidence_note={"en": UNCHECKED})
    for group in data["groups"]:
        objective = plan.add("objectives", plan.id("objective", group["code"]), strategy_id=ref(strategy), code=group["code"],
                             title={"en": group["title"]})
        for action in group["actions"]:
            number, subs = str(action["number"]), action["sub_actions"]
            done = [sub for sub in subs if sub["deadline"]["kind"] == "already_completed"]
            status = "completed" if len(done) == len(subs) else "in_progress" if done else "not_started"
            quoted = f"The deadline column of the plan prints \"{done[0]['deadline_text']}\" for every sub-action." \
                if status == "completed" else None
            initiative = plan.add("initiatives", plan.id("action", number), strategy_id=ref(strategy), objective_id=ref(objective),
                                  code=number, title={"en": action["title"]}, status=status, evidence=quoted)
            for sub in subs:
                completed = sub in done
                evidence = f"The deadline column of the plan prints \"{sub['deadline_text']}\"." if completed else None
                step = plan.add("steps", plan.id("step", sub["code"]), initiative_id=ref(initiative), code=sub["code"],
                                title={"en": sub["text"]}, status="completed" if completed else "not_started", evidence=evidence,
                                deadline={"text": sub["deadline_text"]})
                plan.leads("step", step, [plan.id("entity", code) for code in sub["responsible"]], labels["responsible"])
                for code in sub["relevant"]:
                    plan.assign("step", step, plan.id("entity", code), "support", labels["relevant"])
    return plan


# --- United States: Federal Data Strategy 2020 Action Plan -------------------------------------------------------------

FDS_GROUPS = {"Agency Actions": "A", "Community of Practice Actions": "C", "Shared Solution Actions": "S"}
# Every body that the column names: (acronym as printed, kind).
FDS_BODIES = {
    "GSA": ("GSA", "agency"),
    "OMB": ("OMB", "agency"),
    "NCES": ("NCES", "agency"),
    "Census Bureau": (None, "agency"),
    "Office of Government Information Services of the National Archives": (None, "agency"),
    "FCSM": ("FCSM", "council"),
    "FGDC": ("FGDC", "council"),
    "ICSP": ("ICSP", "council"),
    "CDO Council": (None, "council"),
    "Getting Payments Right Executive Steering Committee": (None, "council"),
    "CAP Goal 8 Executive Steering Committee": (None, "council"),
    "Financial Data Transformation Executive Steering Committee": (None, "council"),
    "CIO Council Federal Technology Investment Management Community of Practice": (None, "other"),
    "SAOGI at OMB": (None, "other"),
    "CDOs": (None, "collective"),
    "FGDC NGDA Lead Covered Agencies": (None, "collective"),
}


def fds_bodies(cell):
    """The bodies that one cell of the column "responsible party" names, without footnote marks."""
    words = re.sub(r"\[\^\d+\]|\*", "", cell)
    return [body.removeprefix("the ").strip() for body in re.split(r", and |, | and | with ", words) if body.strip()]


# The milestones with a published report of completion by agency.
FDS_COMPLETION = ["2.1", "3.1", "4.1"]


def fds_reason(row):
    if row["target_date"].startswith("June"):
        return "Official slip of June targets of May 2020 (COVID-19)."
    return f"The plan prints this revised target date beside \"{row['target_date']}\"; the source gives no reason for this row."


def iso_date(text):
    try:
        return datetime.strptime(text, "%B %d, %Y").date().isoformat()
    except ValueError:
        return None


def federal_data_strategy():
    data = read("us-fds-2020.json")
    source, rows = data["plan"], data["milestones"]
    plan = Plan("fds20", source["title"], origin(source["source"]), source["licence"], "complete", source["notes"] + [
        "codes of the three groups (A, C, S) are ours; kinds of entities are our reading; names are as printed, acronyms are not expanded",
        "a cell of responsible parties is split at \",\", \"and\", \"with\": the first body is lead, the others co_lead; the cell "
        "is kept verbatim in source_label",
        "revised deadlines: the reason names COVID-19 only for the June targets, of which the source says so",
        "every status is the record's first one, not a statement of the source",
        "the completion reports of the milestones 2.1, 3.1 and 4.1 are qualitative indicators, one a question, with the answer of each "
        "agency as printed; they carry no date, so their period is that of the plan; their codes and their stage (output) are ours",
        "the approving act is not in the source: the plan has no legal act, and is closed because its period has ended"])
    named = {body for row in rows for body in fds_bodies(row["responsible_party"])}
    assert named == set(FDS_BODIES), named ^ set(FDS_BODIES)
    for name, (code, kind) in FDS_BODIES.items():
        plan.add("entities", plan.id("entity", slug(name)), code=code, name={"en": name}, kind=kind, country="US")
    strategy = plan.add("strategies", plan.id("plan"), code="us-fds-2020", title={"en": source["title"]}, country="US",
                        kind="action_plan", status="closed", starts_on=source["period"]["start"], ends_on=source["period"]["end"],
                        languages=["en"], source=origin(source["source"]), completeness="complete",
                        evidence_state="proposed", evidence_note={"en": UNCHECKED})
    for group, code in FDS_GROUPS.items():
        plan.add("objectives", plan.id("objective", code), strategy_id=ref(strategy), code=code, title={"en": group})
    seen = set()
    for row in rows:
        number = str(row["action_number"])
        initiative = plan.id("action", number)
        if number not in seen:
            seen.add(number)
            plan.add("initiatives", initiative, strategy_id=ref(strategy),
                     objective_id=ref(plan.id("objective", FDS_GROUPS[row["action_group"]])), code=number,
                     title={"en": row["action_title"]}, status="not_started")
        text = lambda field: {"en": row[field]} if row[field] else None
        step = plan.add("steps", plan.id("step", row["milestone_number"]), initiative_id=ref(initiative),
                        code=row["milestone_number"], title={"en": row["milestone"]}, status="not_started",
                        deadline={"text": row["target_date"]} if row["target_date"] else None, measurement=text("measurement"),
                        reporting_mechanism=text("reporting_mechanism"), obligation=row["obligation"])
        plan.leads("step", step, [plan.id("entity", slug(body)) for body in fds_bodies(row["responsible_party"])],
                   row["responsible_party"])
        if row["revised_target_date"]:
            plan.add("timelines", plan.id("timeline", row["milestone_number"], "revised"), step_id=ref(step), basis="revised",
                     ends_on=iso_date(row["revised_target_date"]), deadline={"text": row["revised_target_date"]},
                     reason={"en": fds_reason(row)})
    for milestone in FDS_COMPLETION:
        with (HERE / "sources" / f"us-fds-2020-progress-milestone-{milestone.replace('.', '-')}.csv").open(encoding="utf-8-sig") as file:
            agency, *questions = next(table := csv.reader(file))
            answers = list(table)
        assert agency == "CFO Act Agencies"
        for number, question in enumerate(questions, 1):
            indicator = plan.add("indicators", plan.id("indicator", milestone, str(number)), step_id=ref(plan.id("step", milestone)),
                                 code=f"{milestone}-{number}", title={"en": question}, value_chain_stage="output",
                                 measure="qualitative")
            for name, *cells in answers:
                plan.add("measurements", plan.id("measurement", milestone, str(number), slug(name)), indicator_id=ref(indicator),
                         period_from=source["period"]["start"], period_to=source["period"]["end"],
                         disaggregation={"agency": name}, descriptor={"en": cells[number - 1]}, status="final")
    return plan


# --- United States: assistance to Albania, as budget requests and appropriations by fiscal year ---------------------------

STRATML = {"s": "urn:ISO:std:iso:17469:tech:xsd:PerformancePlanOrReport"}


def assistance():
    root = ElementTree.parse(HERE / "sources" / "us-assistance-albania.xml").getroot()
    text = lambda element, path: " ".join((element.findtext(f"s:{path.replace('/', '/s:')}", "", STRATML) or "").split())
    title = text(root, "Name")
    plan = Plan("usal", title, "Pulkit0729/stratml-project : part2-us-assistance-to-albania-budget.xml (StratML Part 2)",
                "no licence stated; data of the budget of the United States", "complete", [
        text(root, "Description"), text(root, "OtherInformation"),
        "goals are objectives and objectives are initiatives; a fund named in \"Budget for ...\" is a funding source",
        "a budget request is an estimate, an amount appropriated and planned an appropriation, in USD (the unit printed is $)",
        "fiscal years of the United States begin on 1 October; each is named after the calendar year in which it ends",
        "subtotals and totals are not carried; each subtotal is the sum of the rows before it, which the conversion checks",
        "constant amounts, stakeholders and descriptions of sectors are not carried",
        "every status is the record's first one, not a statement of the source; the plan has no legal act and is a draft here"])
    strategy = plan.add("strategies", plan.id("plan"), code="us-assistance-albania", title={"en": title}, country="US", kind="action_plan",
                        status="draft", languages=["en"], vision={"en": text(root, "StrategicPlanCore/Vision/Description")},
                        mission={"en": text(root, "StrategicPlanCore/Mission/Description")}, source=plan.source["origin"],
                        completeness="complete", evidence_state="proposed", evidence_note={"en": UNCHECKED})
    for goal in root.iterfind(".//s:Goal", STRATML):
        objective = plan.add("objectives", plan.id("goal", text(goal, "SequenceIndicator")), strategy_id=ref(strategy),
                             code=text(goal, "SequenceIndicator"), title={"en": text(goal, "Name")},
                             description={"en": text(goal, "Description")} if text(goal, "Description") else None)
        for body in goal.iterfind("s:Objective", STRATML):
            code = text(body, "SequenceIndicator")
            initiative = plan.add("initiatives", plan.id("objective", code), strategy_id=ref(strategy), objective_id=ref(objective),
                                  code=code, title={"en": text(body, "Name")}, status="not_started",
                                  description={"en": text(body, "Description")} if text(body, "Description") else None)
            sums = Counter()
            for place, instance in enumerate(body.iterfind(".//s:MeasurementInstance", STRATML), 1):
                for result, phase in (("TargetResult", "estimate"), ("ActualResult", "appropriation")):
                    value = instance.find(f"s:{result}", STRATML)
                    start, words = text(value, "StartDate"), text(value, "Description").split("|")[0]
                    amount = int(text(value, "NumberOfUnits"))
                    if not words.startswith("Budget for "):
                        assert words != "Subtotal" or sums.pop((start, phase), 0) == amount, (code, start, phase, amount)
                        continue
                    assert start.endswith("-10-01"), (code, start)
                    sums[start, phase] += amount
                    fund = words.removeprefix("Budget for ")
                    source = plan.id("fund", slug(fund))
                    if all(row["external_id"] != source for row in plan.rows["funding_sources"]):
                        plan.add("funding_sources", source, name={"en": fund}, kind="state_budget")
                    plan.add("budget_allocations", plan.id("money", code, str(place), phase), initiative_id=ref(initiative),
                             funding_source_id=ref(source), fiscal_year=int(start[:4]) + 1, phase=phase,
                             money={"amount": str(amount), "currency": "USD"})
            assert not any(sums.values()), (code, sums)
    return plan


# --- Canada: 5th National Action Plan on Open Government ---------------------------------------------------------------


def canada():
    data = read("ca-ogp-nap5.json")
    source = data["plan"]
    both = lambda row: {"en": row["en"], "fr": row["fr"]}
    plan = Plan("ca5", source["title"]["en"], origin(source["source"]), source["licence"], "complete", [
        source["completeness"],
        "the tracker names departments by slug only: code and name of an entity are the slug; their kind (agency) is our reading",
        "lead_dept is lead; supt_sept (so spelled) is read as support",
        "deadlines are the English texts of the tracker; its due_date (year and month) and its French texts are not carried",
        "the tracker calls itself a tracker of the 2022-2024 plan and gives no first or last day: starts_on and ends_on are left out",
        "a reporting period is the year and month of an update, on progress of the most recent quarter: read as the quarter that ends with it; no due days are given",
        "every status is the record's first one, not a statement of the source",
        "the approving act is not in the source: the plan has no legal act, and is closed because its period has ended"])
    slugs = sorted({row[key] for row in data["indicators"] for key in ("lead_dept", "supt_sept") if row.get(key)})
    for code in slugs:
        plan.add("entities", plan.id("entity", code), code=code, name={"en": code, "fr": code}, kind="agency", country="CA")
    strategy = plan.add("strategies", plan.id("plan"), code="ca-ogp-nap5", title=source["title"], country="CA", kind="action_plan",
                        status="closed", languages=["en", "fr"], source=origin(source["source"]), completeness="complete",
                        evidence_state="proposed", evidence_note={"en": UNCHECKED})
    for row in data["commitments"]:
        plan.add("objectives", plan.id("commitment", row["code"]), strategy_id=ref(strategy), code=row["code"], title=both(row))
    for row in data["milestones"]:
        plan.add("initiatives", plan.id("milestone", row["code"]), strategy_id=ref(strategy),
                 objective_id=ref(plan.id("commitment", row["commitment"])), code=row["code"], title=both(row), status="not_started")
    for row in data["indicators"]:
        step = plan.add("steps", plan.id("indicator", row["code"]), initiative_id=ref(plan.id("milestone", row["milestone"])),
                        code=row["code"], title=both(row), status="not_started", deadline={"text": row["deadline"]["en"]})
        plan.leads("step", step, [plan.id("entity", row["lead_dept"])], "lead_dept")
        if row.get("supt_sept"):
            plan.assign("step", step, plan.id("entity", row["supt_sept"]), "support", "supt_sept")
    plan.add("reporting_cycles", plan.id("cycle"), strategy_id=ref(strategy), code="tracker", title=source["title"], cadence="quarterly",
             covers="steps", status="closed", periods=[quarter(code) for code in data["reporting"]["reporting_periods"]])
    return plan


def quarter(code):
    """The quarter that ends with a month such as 2022-03."""
    year, month = map(int, code.split("-"))
    last = calendar.monthrange(year, month)[1]
    return {"code": code, "from": f"{year}-{month - 2:02}-01", "to": f"{year}-{month:02}-{last}"}


# --- Romania: HG 1.321/2021, annex 2 (the rows seen) -------------------------------------------------------------------

RO_MINISTRIES = {"MApN", "MAI"}


def romania():
    data = next(plan for plan in read("partials.json")["plans"] if plan["id"] == "ro-hg-1321-2021-annex-2")
    plan = Plan("ro22", data["title"], data["source"], "no licence stated", "partial", [
        "only the four rows really seen, all of measure 1.1; nothing was added",
        "codes of the actions (1.1-1 to 1.1-4) are ours, in the order seen; the rows carry none",
        "two actions carry no Responsabil in the source: they have no lead, and that is kept",
        "entities are named by acronym as printed; a participants text is one collective entity; kinds of entities are our reading",
        "the period 2022-2027 of the title is read as whole calendar years",
        "every status of an action is the record's first one, not a statement of the source"])
    act = plan.add("legal_acts", plan.id("act-hg-1321-2021"), country="RO", issuer="Guvernul României",
                   act_type="government_decision", number="1.321", date="2021-12-30", title={"ro": data["approved_by"]},
                   gazette="Monitorul Oficial", gazette_number="2 bis", gazette_date="2022-01-03", url=data["source"],
                   status="in_force")
    acronyms = dict.fromkeys(code for row in data["rows"] for code in row.get("participants", []) + row["responsible"])
    texts = list(dict.fromkeys(row["participants_text"] for row in data["rows"] if row.get("participants_text")))
    for code in acronyms:
        plan.add("entities", plan.id("entity", code), code=code, name={"ro": code},
                 kind="ministry" if code in RO_MINISTRIES else "agency", country="RO")
    for position, text in enumerate(texts, 1):
        plan.add("entities", plan.id("entity-collective", str(position)), name={"ro": text}, kind="collective", country="RO")
    strategy = plan.add("strategies", plan.id("plan"), code="ro-hg-1321-2021-annex-2", title={"ro": data["title"]}, country="RO",
                        kind="action_plan", status="in_force", starts_on="2022-01-01", ends_on="2027-12-31", languages=["ro"],
                        legal_act_id=ref(act), annex="2", source=data["source"], completeness="partial",
                        evidence_state="proposed", evidence_note={"en": UNCHECKED})
    objective = measure = None
    for position, row in enumerate(data["rows"], 1):
        if row.get("objective"):
            code, title = row["objective"].split(" - ", 1)
            objective = plan.add("objectives", plan.id("objective", code), strategy_id=ref(strategy), code=code, title={"ro": title})
        code, _, title = row["measure"].partition(" ")
        if title:
            measure = plan.add("objectives", plan.id("objective", code), strategy_id=ref(strategy), parent_id=ref(objective),
                               code=code, title={"ro": title})
        assert measure == plan.id("objective", code)
        initiative = plan.add("initiatives", plan.id("action", f"{code}-{position}"), strategy_id=ref(strategy),
                              objective_id=ref(measure), code=f"{code}-{position}", title={"ro": row["action"]},
                              status="not_started", deadline={"text": row["deadline_text"]})
        plan.leads("initiative", initiative, [plan.id("entity", code) for code in row["responsible"]], "Responsabil")
        for participant in row.get("participants", []):
            plan.assign("initiative", initiative, plan.id("entity", participant), "support", "Participant")
        if row.get("participants_text"):
            collective = plan.id("entity-collective", str(texts.index(row["participants_text"]) + 1))
            plan.assign("initiative", initiative, collective, "support", "Participant")
    return plan


# --- The acceptance case: a secondary source whose attribution is disputed ---------------------------------------------


# What an action plan provides, in the order of the source.
PLAN_CONTENTS = ["steps_and_entities", "timelines_and_financial_resources", "human_and_financial_resources", "timeframes_and_metrics",
                 "priorities_into_initiatives"]


def acceptance_case():
    data = read("romania-acceptance-case.json")
    source, act, note = data["source"], data["legal_act"], data["provenance_note"]
    cite = f"{source['publisher']}: {source['title']} ({source['kind']})"
    abroad, law, capacity = data["cyber_diplomacy"], data["international_law"], data["capacity_building"]
    plan = Plan("ro18", source["title"], f"{source['publisher']} ({source['kind']})", "no licence stated", "partial", [
        note,
        "kept as the source states it; the issuer is not stated by the source",
        "the title of the plan is the subject of the act as the source words it; codes of the initiatives (1, 2) are ours",
        "needs reference-forums.json and framework-ncsi-3.0.json: UN-AHC, GFCE and UN-GGE are the forums of the first; UN-OEWG and OSCE stand for themselves, "
        "because the source does not say which working group and which body are meant",
        "no engagement has a day, a statement or a capacity, and no forum a membership: the source gives none",
        "the topics of the position are read out of the statement on it: that international law applies, and human rights",
        "no treaty and no contribution is entered: the source names no treaty, and says that contributions remain at zero",
        "the assessment is ours, on the day on which the case was written: is_met is what the source states of an indicator, and that initiative 2 would "
        "supply indicator 2.3 is our reading"])
    decision = plan.add("legal_acts", plan.id("act-257-2018"), country=data["country"], issuer="not stated by the source",
                        act_type=act["type"], number=act["number"], date=act["date"], title={"en": act["subject"]})
    strategy = plan.add("strategies", plan.id("plan"), code="ro-acceptance-case-2018", title={"en": act["subject"]},
                        country=data["country"], kind="action_plan", status="draft", languages=["en"], legal_act_id=ref(decision),
                        annex=act["annex"], source=cite, completeness="partial", evidence_state="disputed",
                        evidence_note={"en": note.split(" Keep the statement")[0]})
    for code, title in enumerate(data["initiatives_under_way"], 1):
        plan.add("initiatives", plan.id("initiative", str(code)), strategy_id=ref(strategy), code=str(code), title={"en": title},
                 status="in_progress")

    def evidence(name, claim, about, **fields):
        return plan.add("evidence", plan.id("evidence", name), kind="secondary_source", title={"en": source["title"]}, claim={"en": claim},
                        about=about, country=data["country"], publisher=source["publisher"], languages=["en"], **fields)

    proofs = {"1.5": [evidence(
        "plan", f"Decision no. {act['number']} of 22.11.2018, Annex {act['annex']}, is the {act['subject']} of Romania", "plan", legal_act_id=ref(decision),
        annex=act["annex"], strategy_id=ref(strategy), state="disputed", state_reason={"en": note.split(" Keep the statement")[0]})]}
    for content, claim in zip(PLAN_CONTENTS, data["action_plan"]["provides"], strict=True):
        proofs["1.5"].append(evidence(content.replace("_", "-"), f"The action plan provides {claim}", "plan_content", content=content,
                                      strategy_id=ref(strategy)))
    forums = {"UN-OEWG": "open_ended_working_group", "OSCE": "organisation"}
    engaged = {row["forum"]: row["name"] for row in [*law["forums"], *abroad["engaged_in"]]}
    proofs["2.1"] = []
    for code, name in engaged.items():
        forum, _, matter = name.partition(": ")
        target = f"ref-forum-{code}"
        if code in forums:
            target = plan.add("forums", plan.id("forum", code), code=code, name={"en": forum}, kind=forums[code], source=cite)
        plan.add("engagements", plan.id("engagement", code), forum_id=ref(target), title={"en": matter} if matter else None, source=cite)
        proofs["2.1"].append(evidence(f"engaged-in-{code}", f"Romania is engaged in the {name}", "forum_engagement"))
    statements = f"Official statements {law['official_statements']}"
    plan.add("positions", plan.id("position"), country=data["country"], title={"en": statements}, topics=["applicability", "human_rights"], source=cite)
    proofs["2.2"] = [evidence("position", statements, "official_position")]
    evidence("treaties", f"Romania is a {law['treaties']}", "treaty_membership")
    proofs["2.3"] = [evidence("capacity", capacity["statement"], "capacity_contribution")]
    assert capacity["contributions_given"] == 0
    assessment = plan.add("assessments", plan.id("assessment"), framework_id=ref("framework-ncsi-3.0"), strategy_id=ref(strategy), country=data["country"],
                          title={"en": "What a secondary source states of NCSI 1.5, 2.1, 2.2 and 2.3"}, assessed_on="2026-11-25")
    for indicator, cited in proofs.items():
        given = indicator != "2.3"
        answer = plan.add("answers", plan.id("answer", indicator), assessment_id=ref(assessment), indicator=indicator, is_met=given,
                          justification={"en": "The source states so." if given else f"The source states: {capacity['statement']}."},
                          initiative_id=None if given else ref(plan.id("initiative", "2")))
        for place, piece in enumerate(cited, 1):
            plan.add("citations", plan.id("citation", indicator, str(place)), answer_id=ref(answer), evidence_id=ref(piece))
    return plan


# --- Treaties and positions seen in reference sources ------------------------------------------------------------------

# The source says "adopted or opened" of both; which of the two it is.
ADOPTED_OR_OPENED = {"CETS-185": "opened_on", "UNCC": "adopted_on"}
PROTOCOLS = {"CETS-224": "CETS-185"}


def treaties():
    data = read("cyber-diplomacy-forums.json")
    plan = Plan("law", "Treaties and positions seen in reference sources", "sources/cyber-diplomacy-forums.json, whose rows name where each was seen",
                "facts; no licence stated", "partial", [
        data["note"],
        "only what the rows say: no ratification is in the source, so nobody is shown as a party; the text is not that of the depositary",
        "CETS-185 was opened for signature on its `adopted_or_opened` day, the UNCC adopted by the General Assembly; that CETS-224 is a "
        "protocol to CETS-185 is read out of its name",
        "the position of Romania has the day of the document that published it (A/76/136, released in August 2021), and only the topics "
        "that the row names"])
    for treaty in data["treaties"]:
        code = treaty["code"]
        days = {ADOPTED_OR_OPENED[code]: treaty["adopted_or_opened"]} if "adopted_or_opened" in treaty else {}
        parent = PROTOCOLS.get(code)
        plan.add("treaties", plan.id(code), code=code, name={"en": treaty["name"]}, depositary=treaty.get("depositary"), **days,
                 in_force_on=treaty.get("in_force"), source=treaty["source"], parent_id=parent and ref(plan.id(parent)),
                 entry_into_force_rule={"en": treaty["entry_into_force_rule"]} if "entry_into_force_rule" in treaty else None)
        for event in treaty.get("signature_events", []):
            for state in event["states"]:
                plan.add("treaty_actions", plan.id(code, "signed", state), treaty_id=ref(plan.id(code)), country=state,
                         action="signed", acted_on=event["date"], source=treaty["source"])
    for position in data["official_positions_seen"]:
        symbol, _, published = position["published_in"].partition(" ")
        day = re.search(r"document dated (\d{4}-\d{2}-\d{2})", published)
        plan.add("positions", plan.id("position", position["state"], str(position["year"])), country=position["state"],
                 title={"en": position["title"]}, issued_on=day.group(1), topics=[topic.split(" ")[0] for topic in position["topics"]],
                 symbol=symbol, url="https://" + position["source"], source=f"{position['source']}; {position['published_in']}")
    return plan


# --- Forums of cyber diplomacy, the norms of 2015 and the numbers of the OSCE measures ---------------------------------


def forum_documents(row):
    """Symbols of a forum; the two decisions of the OSCE stand in its name, as `PC.DEC/1106 of 2013: 11 CBMs`."""
    for report in row.get("reports", []):
        yield {"symbol": report["symbol"], "kind": "report", "year": report["year"], "title": report.get("kind")}
    for symbol in row.get("endorsed_by", []):
        yield {"symbol": symbol, "kind": "endorsement"}
    if symbol := row.get("compendium_of_national_positions"):
        yield {"symbol": symbol, "kind": "compendium"}
    for symbol, year, title in re.findall(r"(PC\.DEC/\d+) of (\d{4})(?:-\d\d-\d\d)?: (\d+ CBMs)", row["name"]):
        yield {"symbol": symbol, "kind": "decision", "year": int(year), "title": title}


def forums():
    data, norms = read("cyber-diplomacy-forums.json"), read("un-norms-2015.json")
    plan = Plan("ref", "Forums of cyber diplomacy, the eleven UN norms and the sixteen OSCE measures",
                "research for Mandate; every row names where it was seen. Norms: " + norms["source"],
                "facts; the list of norms Apache-2.0", "partial", [
        data["note"],
        "kinds of forums are those of the transcription; the place of a state in a forum is not in it, and has to be said",
        "the mandate A/RES/73/266 is that of the sixth group of experts",
        "norms: codes and titles only; " + norms["warning"],
        "OSCE measures: numbers only, the titles are in no source seen; two obligations stand in the description of the forum",
        "the state of every commitment is unknown: the record's first one, not a statement of a source"])
    for row in data["forums"]:
        state, _, remark = row["status"].partition(" ")
        facts = [row.get("outcome"), *row.get("obligations", []), row.get("founded") and f"founded {row['founded']}",
                 row.get("sessions") and f"{row['sessions']} sessions", row.get("members") and f"{row['members']} members",
                 remark.strip("()")]
        description = "; ".join(fact for fact in facts if fact)
        documents = [{key: {"en": value} if key == "title" else value for key, value in document.items() if value}
                     for document in forum_documents(row)]
        mandate = [symbol for key in ("mandate", "sixth_group_mandate") for symbol in row.get(key, "").split("; ") if symbol]
        plan.add("forums", plan.id("forum", row["code"]), code=row["code"], name={"en": row["name"]},
                 description={"en": description} if description else None, kind=row["kind"],
                 body={"en": row["parent"]} if "parent" in row else None, mandate=mandate, status=state, documents=documents,
                 source=row["source"])
    for norm in norms["norms"]:
        code = norm["code"].removeprefix("Norm ")
        plan.add("commitments", plan.id("un-norm", slug(code)), catalogue="un_norms_2015", code=code, kind="norm",
                 title={"en": norm["title"]}, source_document=norm["source_document"], forum_id=ref("ref-forum-UN-GGE"),
                 source=norms["source"])
    for number in range(1, 17):
        plan.add("commitments", plan.id("osce-cbm", str(number)), catalogue="osce_cbm", code=str(number),
                 kind="confidence_building_measure", source_document="PC.DEC/1202", forum_id=ref("ref-forum-OSCE-IWG"),
                 source=next(row["source"] for row in data["forums"] if row["code"] == "OSCE-IWG"))
    return plan


# --- Frameworks of readiness ---------------------------------------------------------------------------------------------

OFFICIAL = ["legal_act", "official_document", "official_website"]
OUR_RULES = "The rules that find candidates, and the kinds of evidence accepted, are Mandate's reading and not the owner's."


def rule(record, **parameters):
    return {"record": record, **parameters}


# By indicator; what has none here is proven by evidence that somebody looks for.
PLAN_RULES = [rule("approved_plan", needs=["objectives", "steps", "entities", "timelines", "people", "money", "metrics"]),
              rule("evidence", about=["plan", "plan_content"])]
ABROAD_RULES = [rule("forum_membership"), rule("engagement"), rule("evidence", about=["forum_engagement"])]
GIVEN_RULES = [rule("contribution", direction="given", within_days=1095), rule("evidence", about=["capacity_contribution"])]
BUDAPEST_RULES = [rule("treaty_in_force", treaty="CETS-185"), rule("evidence", about=["treaty_membership"])]
NCSI_3_RULES = {
    "1.4": [rule("strategy")],
    "1.5": PLAN_RULES,
    "2.1": ABROAD_RULES,
    "2.2": [rule("position", topics=["human_rights"]), rule("evidence", about=["official_position"])],
    "2.3": GIVEN_RULES,
    "11.3": BUDAPEST_RULES,
}
NCSI_2_RULES = {"1.3": [rule("strategy")], "1.4": PLAN_RULES, "4.1": BUDAPEST_RULES, "4.2": ABROAD_RULES, "4.4": GIVEN_RULES}


def ncsi_3():
    data = read("ncsi-3.0-indicators.json")
    verified, unverified = data["verification"]["verified"], data["verification"]["UNVERIFIED"]
    plan = Plan("framework", "NCSI 3.0 as a template", "research for Mandate: sources/ncsi-3.0-indicators.json", data["terms"], "complete",
                ["unverified: " + unverified, *("verified: " + fact for fact in verified), OUR_RULES])
    areas = [{
        "code": area["code"], "name": {"en": area["name"]}, "pillar": area["pillar"], "max_points": str(area["max"]),
        "indicators": [{
            "code": row["code"], "name": {"en": row["name"]},
            **({"criteria": {"en": row["confirmed_content"]}} if "confirmed_content" in row else {}),
            "accepted_evidence": OFFICIAL, "max_points": str(row["max"]), "is_verified": False,
            "verification_note": {"en": f"Content confirmed by: {row['confirmed_by']}. Points unverified." if "confirmed_by" in row
                                  else "Name and points unverified."},
            **({"candidates": NCSI_3_RULES[row["code"]]} if row["code"] in NCSI_3_RULES else {}),
        } for row in area["indicators"]],
    } for area in data["areas"]]
    assert sum(row["max"] for area in data["areas"] for row in area["indicators"]) == data["total_points"]
    plan.add("frameworks", plan.id("ncsi-3.0"), code="NCSI", edition="3.0", name={"en": data["index"]}, owner=data["owner"], terms=data["terms"],
             source=data["scoring"]["source"], is_verified=False,
             verification_note={"en": f"UNVERIFIED: {unverified} Verified: {'; '.join(verified)}. {OUR_RULES}"}, areas=areas)
    return plan


def ncsi_2():
    data = read("ncsi-2.x-indicators.json")
    note = (f"Incomplete: {data['completeness']}. No points: the source has those of two indicators only, and a percentage of two would mislead. "
            f"Names as read; not compared with the owner's page. {OUR_RULES}")
    plan = Plan("framework", "NCSI 2.x as a template", data["source"], "as NCSI 3.0", "partial", [note])
    areas = []
    for code, name, indicators in data["areas"]:
        rows = [indicator.split(" ", 1) for indicator in indicators]
        areas.append({"code": code, "name": {"en": name}, "indicators": [{
            "code": own, "name": {"en": title}, "accepted_evidence": OFFICIAL, "is_verified": False,
            "verification_note": {"en": "Name as in a stored excerpt; points unknown."},
            **({"candidates": NCSI_2_RULES[own]} if own in NCSI_2_RULES else {}),
        } for own, title in rows]})
    plan.add("frameworks", plan.id("ncsi-2.x"), code="NCSI", edition="2.x", name={"en": data["index"]}, owner="e-Governance Academy (Estonia)",
             source=data["source"], is_verified=False, verification_note={"en": note}, areas=areas)
    return plan


def un_norms():
    data = read("un-norms-2015.json")
    note = f"Codes and titles only; the titles are a paraphrase and no official wording. {data['warning']} {OUR_RULES}"
    plan = Plan("framework", "The UN norms of 2015 as a framework", data["source"], "Apache-2.0", "complete", [note])
    indicators = []
    for norm in data["norms"]:
        code = norm["code"].removeprefix("Norm ")
        indicators.append({"code": code, "name": {"en": norm["title"]}, "is_verified": False,
                           "verification_note": {"en": "Title is a paraphrase."},
                           "candidates": [rule("commitment", catalogue="un_norms_2015", code=code)]})
    plan.add("frameworks", plan.id("un-norms-2015"), code="UN-NORMS", edition="2015",
             name={"en": "Norms of responsible state behaviour in the use of ICTs"}, owner="United Nations", terms="Apache-2.0 (the list of titles)",
             source=f"{data['norms'][0]['source_document']}; {data['source']}", is_verified=False, verification_note={"en": note},
             areas=[{"code": "13", "name": {"en": "Norms, paragraph 13"}, "indicators": indicators}])
    return plan


# --- Checks and output -------------------------------------------------------------------------------------------------

FILES = {
    "turkiye-2013-2014.json": (turkiye, {"entities": 36, "strategies": 1, "objectives": 7, "initiatives": 29, "steps": 95}),
    "us-federal-data-strategy-2020.json": (
        federal_data_strategy, {"strategies": 1, "objectives": 3, "initiatives": 20, "steps": 66, "timelines": 5}),
    "us-assistance-albania.json": (assistance, {"strategies": 1, "objectives": 8, "initiatives": 20}),
    "canada-nap5.json": (canada, {"strategies": 1, "objectives": 5, "initiatives": 19, "steps": 106}),
    "romania-2022-2027-partial.json": (romania, {"legal_acts": 1, "entities": 11, "strategies": 1, "objectives": 2, "initiatives": 4}),
    "romania-acceptance-case.json": (acceptance_case, {
        "legal_acts": 1, "strategies": 1, "initiatives": 2, "forums": 2, "engagements": 5, "positions": 1, "evidence": 14, "assessments": 1, "answers": 4}),
    "reference-treaties.json": (treaties, {"treaties": 3, "treaty_actions": 6, "positions": 1}),
    "reference-forums.json": (forums, {"forums": 8, "commitments": 27}),
    "framework-ncsi-3.0.json": (ncsi_3, {"frameworks": 1}),
    "framework-ncsi-2.x.json": (ncsi_2, {"frameworks": 1}),
    "framework-un-norms-2015.json": (un_norms, {"frameworks": 1}),
}


def unique(what, values):
    twice = [value for value, count in Counter(values).items() if count > 1]
    assert not twice, f"{what} twice: {twice}"


def check_plan(file, plan, expected, known):
    for noun, count in expected.items():
        assert len(plan.rows[noun]) == count, f"{file}: {len(plan.rows[noun])} {noun}, expected {count}"
    for noun, rows in plan.rows.items():
        for row in rows:
            assert re.fullmatch(r"[^\s/?#]{1,200}", row["external_id"]) and row["external_id"].startswith(plan.prefix + "-"), row
            assert "code" not in row or re.fullmatch(r"\S(.{0,98}\S)?", row["code"]), row
            for field, target in {**REFERENCES, **OWN_REFERENCES.get(noun, {})}.items():
                assert field not in row or row[field].removeprefix("external:") in known[target], (file, field, row)
            for value in row.values():
                if isinstance(value, dict):
                    assert all(words.strip() and len(words) <= 10_000 for words in value.values()), row
    rows = plan.rows
    assert all(row["kind"] in KINDS for row in rows["entities"])
    assert all("evidence" in row for noun in ("initiatives", "steps") for row in rows[noun] if row["status"] == "completed")
    assert all("legal_act_id" in row for row in rows["strategies"] if row["status"] in ("approved", "in_force"))
    assert all("reason" in row for row in rows["timelines"] if row["basis"] == "revised")
    assert all(len(row.get("obligation", "")) <= 2000 for row in rows["steps"])
    unique("code of objective", [(row["strategy_id"], row["code"]) for row in rows["objectives"]])
    unique("code of initiative", [(row["strategy_id"], row["code"]) for row in rows["initiatives"]])
    unique("code of step", [(row["initiative_id"], row["code"]) for row in rows["steps"]])
    for row in rows["assignments"]:
        assert ("initiative_id" in row) != ("step_id" in row), row
    item = lambda row: row.get("initiative_id") or row["step_id"]
    unique("assignment", [(item(row), row["entity_id"], row["role"]) for row in rows["assignments"]])
    unique("lead", [item(row) for row in rows["assignments"] if row["role"] == "lead"])


def main():
    plans = {file: build() for file, (build, _) in FILES.items()}
    known = {noun: {row["external_id"] for plan in plans.values() for row in plan.rows[noun]} for noun in NOUNS}
    for file, plan in plans.items():
        check_plan(file, plan, FILES[file][1], known)
    for noun in NOUNS:
        unique(f"external_id of {noun}", [row["external_id"] for plan in plans.values() for row in plan.rows[noun]])
    for noun in ("entities", "strategies", "forums"):
        unique(f"code of {noun}", [row["code"].casefold() for plan in plans.values() for row in plan.rows[noun] if "code" in row])
    for file, plan in plans.items():
        text = json.dumps(plan.document(), ensure_ascii=False, indent=2) + "\n"
        (HERE / file).write_text(text, encoding="utf-8", newline="\n")
        print(file, ", ".join(f"{len(rows)} {noun}" for noun, rows in plan.rows.items() if rows))


if __name__ == "__main__":
    main()
