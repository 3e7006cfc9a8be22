"""Clerical review over several nights: what is asked, what reviewers may say, and what follows and is taken back."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import linkage_people as people
import pytest
from hypothesis import given
from hypothesis import strategies as st
from linkage_index import Index

from linkage import verdicts
from linkage.decisions import Decision, Standing
from linkage.errors import ConstraintError, RegistryError
from linkage.explain import lay_out, waterfall
from linkage.registry import decide, undo
from linkage.score import log2_odds
from linkage.spec import ReviewRules
from linkage.verdicts import Answer, AnswersRefused, Question, agreement, cohens_kappa, open_questions, take_answers, tally

NUMBERS = people.nhs_numbers(10)
A, B, C, D, E, F = (people.token(i) for i in range(1, 7))
TODAY = date(2026, 1, 1)

JO = {
    "given_name": "Josephine",
    "family_name": "Okonkwo-Bright",
    "birth_date": date(1980, 3, 12),
    "sex": "F",
    "postcode": "AB12 3CD",
}
MO = {"given_name": "Mihai", "family_name": "Popescu", "birth_date": date(1951, 7, 30), "sex": "M", "postcode": "AB19 9ZZ"}


def gp(token: str, number: str | None, who: dict[str, object] = JO, **fields: object) -> dict[str, object]:
    return {"record_token": token, "source": "gp_emis", "table_name": "admin_patient", "nhs_number": number, **who, **fields}


def vcs(token: str, who: dict[str, object] = JO, **fields: object) -> dict[str, object]:
    return {"record_token": token, "source": "voluntary_sector", "table_name": "referral", **who, **fields}


def decision(index: Index, one: str, other: str, kind: str) -> UUID:
    return decide(index.registry, UUID(one), UUID(other), kind, reason="", decided_by="r1", decided_on=TODAY)


def events(index: Index) -> list[tuple]:
    """The last night's events: what, which persons, why."""
    return index.ask(f"""
        select event, person_id::varchar, other_person_id::varchar, cause from person_event
        where run_id = 'night-{index.night}' order by event""")


def answer(index: Index, reviewer: str, verdict: str, question: UUID, wanted: int = 2) -> list[Decision]:
    return take_answers(index.registry, [Answer(question, reviewer, verdict)], wanted=wanted, answered_on=TODAY)


def doubts(index: Index) -> list[Question]:
    return [q for q in open_questions(index.registry) if not q.is_sample]


# --- undo restores both histories


def test_undoing_a_merge_gives_both_persons_their_ids_back_whatever_came_since(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), vcs(B), gp(C, NUMBERS[1], MO), vcs(D, MO)]))
    before = index.persons()
    jo, mo = before[A], before[C]
    made = decision(index, A, C, "must_link")
    index.run()
    survivor = index.persons()[A]
    (other,) = {jo, mo} - {survivor}
    assert set(index.persons().values()) == {survivor}
    assert events(index) == [("merge", survivor, other, "decision")]
    # more records come for the one that was merged away, so that it is now the larger part
    late = MO if other == mo else JO
    index.run(people.frame([{**vcs(E, late), "load_seq": 2}, {**vcs(F, late), "load_seq": 2}]))
    undo(index.registry, made, ended_by="r2", ended_on=TODAY)
    report = index.run()
    after = index.persons()
    assert {t: after[t] for t in (A, B, C, D)} == before
    assert after[E] == after[F] == other
    assert events(index) == [
        ("revive", other, survivor, "decision_undone"),
        ("split", survivor, other, "decision_undone"),
    ]
    assert report.events == {"revive": 1, "split": 1}
    assert index.ask("select old_person_id::varchar, until is not null from alias") == [(other, True)]
    assert index.ask("select count(*) from person where retired_on is not null") == [(0,)]
    (detail,) = index.ask("select distinct cause_detail from person_event where cause = 'decision_undone'")
    assert detail == (f"{made} by r1",)


def test_undoing_a_split_gives_the_person_the_one_id_back(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), vcs(B)]))
    before = index.persons()
    made = decision(index, A, B, "cannot_link")
    # the part that left grows larger than the part that kept the id
    index.run(people.frame([{**vcs(C), "load_seq": 2}]))
    apart = index.persons()
    assert apart[A] != apart[B]
    assert ("split", "decision") in {(event, cause) for event, _, _, cause in events(index)}
    undo(index.registry, made, ended_by="r1", ended_on=TODAY)
    index.run()
    assert {index.persons()[t] for t in (A, B, C)} == {before[A]}
    assert [(event, cause) for event, _, _, cause in events(index)] == [("merge", "decision_undone")]
    with pytest.raises(ConstraintError, match="already ended"):
        undo(index.registry, made, ended_by="r1", ended_on=TODAY)


def test_undoing_the_later_of_two_merges_leaves_the_earlier(index: Index) -> None:
    third = {
        **JO,
        "given_name": "Tariq",
        "family_name": "Haddad",
        "birth_date": date(1999, 9, 9),
        "sex": "M",
        "postcode": "AB1 1AA",
    }
    index.run(people.frame([gp(A, NUMBERS[0]), gp(B, NUMBERS[1], MO), gp(C, NUMBERS[2], third), vcs(D, third), vcs(E, third)]))
    before = index.persons()
    decision(index, A, B, "must_link")
    index.run()
    pair = index.persons()[A]
    made = decision(index, B, C, "must_link")
    index.run()
    assert len(index.partition()) == 1
    undo(index.registry, made, ended_by="r1", ended_on=TODAY)
    index.run()
    after = index.persons()
    assert after[A] == after[B] == pair
    assert after[C] == before[C]
    # the id that the first merge took away resolves to that merge's survivor again
    (gone,) = {before[A], before[B]} - {pair}
    assert index.ask(f"select person_id::varchar from alias where until is null and old_person_id = '{gone}'") == [(pair,)]


# --- causes


def test_every_event_names_what_caused_it(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), gp(B, NUMBERS[1], MO), vcs(C, MO)]))
    assert {cause for *_, cause in events(index)} == {"new_record"}
    index.run(people.frame([vcs(D, load_seq=2)]))
    (row,) = index.ask(
        "select cause, cause_left::varchar, cause_right::varchar, cause_detail from person_event where event = 'extend'"
    )
    assert row[0] == "edge"
    assert set(row[1:3]) == {A, D}
    assert "bits" in row[3]
    index.run(people.frame([vcs(C, JO, load_seq=3, family_name="Nowak", given_name="Ewa", birth_date=date(2001, 5, 6))]))
    (row,) = index.ask("select cause, cause_left::varchar from person_event where event = 'split'")
    assert row == ("record_changed", C)
    index.run(people.frame([{**gp(B, NUMBERS[1], MO), "load_seq": 4, "is_deleted": True}]))
    assert [(event, cause) for event, _, _, cause in events(index)] == [("tombstone", "record_withdrawn")]
    index.run(link_weight=60.0)
    assert {cause for *_, cause in events(index)} == {"scoring_changed"}


# --- what is asked


def test_two_persons_are_asked_about_once_by_their_best_pair_and_it_stays(index: Index) -> None:
    rows = [gp(A, NUMBERS[0]), vcs(B), gp(C, NUMBERS[1], given_name="Chidera"), vcs(D, given_name="Chidera")]
    index.run(people.frame(rows))
    (asked,) = doubts(index)
    assert asked.reason == "twin"
    index.run(people.frame([vcs(E, given_name="Chidera", load_seq=2, phones=["07700900123"])]))
    assert [q.question_id for q in doubts(index)] == [asked.question_id]


def test_a_weak_link_between_two_parts_is_a_bridge_and_a_weak_end_is_not(index: Index) -> None:
    moved = {"postcode": "AB19 9ZZ", "phones": ["07700900123"]}
    rows = [gp(A, NUMBERS[0]), vcs(B), vcs(C, **moved), vcs(D, **moved)]
    index.run(people.frame(rows), review=ReviewRules(weak_link_weight=40.0, sample_pairs=0))
    assert index.together(A, B, C, D)
    assert {q.reason for q in open_questions(index.registry)} <= {"bridge"}
    index.run(people.frame([vcs(E, {**JO, "given_name": "Josephyne"}, load_seq=2)]))
    assert all({str(q.left_token), str(q.right_token)} != {A, E} for q in open_questions(index.registry) if q.reason == "bridge")


def test_questions_that_move_more_and_double_count_come_first(index: Index) -> None:
    index.run(
        people.frame(
            [
                gp(A, NUMBERS[0]),
                gp(B, NUMBERS[1]),
                vcs(C, MO),
                vcs(D, MO, birth_date=date(1952, 7, 30), postcode=None, given_name="Mihael"),
            ]
        ),
        link_weight=12.0,
    )
    asked = open_questions(index.registry)
    assert asked[0].reason == "two_numbers"
    assert [q.importance for q in asked] == sorted((q.importance for q in asked), reverse=True)


def test_samples_are_marked_and_the_same_every_night(index: Index) -> None:
    rows = people.make_place(600, seed=3).rows
    index.run(rows)
    sample = {q.question_id for q in open_questions(index.registry, only_sample=True)}
    assert 10 <= len(sample) <= 2 * index.spec.review.sample_pairs
    index.run(rows.head(5).with_columns(load_seq=2 * rows.head(5)["load_seq"]))
    assert {q.question_id for q in open_questions(index.registry, only_sample=True)} == sample


def test_a_decision_that_expired_is_asked_again_with_its_history(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), vcs(B)]))
    decision(index, A, B, "cannot_link")
    index.run()
    assert open_questions(index.registry) == []
    index.run(people.frame([vcs(B, load_seq=2, postcode="AB12 3CX")]))
    (asked,) = open_questions(index.registry)
    assert asked.reason == "decision_expired"
    assert "different, decided by r1" in asked.history[0]
    assert "record changed" in asked.history[0]
    answer(index, "r2", "unsure", asked.question_id, wanted=1)
    answer(index, "r3", "unsure", asked.question_id, wanted=1)
    index.run(people.frame([gp(C, NUMBERS[1], MO, load_seq=2)]))
    assert open_questions(index.registry) == [], "reviewers left it undecided, so it is not asked again"


def test_a_reviewer_who_says_that_twins_are_one_person_is_believed(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), vcs(B), vcs(C, given_name="Chidera")]))
    (asked,) = doubts(index)
    assert asked.reason == "twin"
    answer(index, "r1", "same", asked.question_id, wanted=1)
    index.run()
    assert index.together(A, B, C)


# --- verdicts


@pytest.mark.parametrize(
    ("said", "third", "outcome"),
    [
        (["same", "same"], None, "settled"),
        (["same", "different"], "different", "settled"),
        (["same", "unsure"], "unsure", "undecided"),
    ],
)
def test_two_blind_verdicts_decide_or_a_third_does(index: Index, said: list[str], third: str | None, outcome: str) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), gp(B, NUMBERS[1])]))
    (asked,) = open_questions(index.registry, reviewer="r1")
    assert answer(index, "r1", said[0], asked.question_id) == []
    assert open_questions(index.registry, reviewer="r1") == []
    (seen,) = open_questions(index.registry, reviewer="r2")
    assert seen == asked, "the second reviewer sees nothing of the first one's verdict"
    made = answer(index, "r2", said[1], asked.question_id)
    if third:
        assert made == []
        assert open_questions(index.registry, reviewer="r2") == []
        assert open_questions(index.registry, reviewer="r3")[0].is_disputed
        made = answer(index, "r3", third, asked.question_id)
    assert [d.kind for d in made] == {"settled": [verdicts.VERDICTS[third or said[0]]], "undecided": []}[outcome]
    assert tally(index.registry).closed == {outcome: 1}
    (between,) = agreement(index.registry)
    assert (between.one, between.other, between.n_questions, between.observed) == ("r1", "r2", 1, float(said[0] == said[1]))


def test_answers_are_refused_together_and_each_says_why(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), gp(B, NUMBERS[1]), gp(C, NUMBERS[2], MO), gp(D, NUMBERS[3], MO)]))
    one, other = open_questions(index.registry)
    apart = decision(index, str(one.left_token), str(other.left_token), "cannot_link")
    decision(index, str(one.right_token), str(other.right_token), "must_link")
    first = Answer(one.question_id, "r1", "same")
    unknown = UUID(int=1)
    with pytest.raises(AnswersRefused) as refused:
        take_answers(
            index.registry,
            [
                first,
                Answer(one.question_id, "r1", "same"),
                Answer(unknown, "r1", "same"),
                Answer(one.question_id, "r2", "perhaps"),
                Answer(one.question_id, "Jane Smith", "same"),
                Answer(other.question_id, "r1", "same"),
            ],
            wanted=2,
            answered_on=TODAY,
        )
    places = dict(refused.value.problems)
    assert list(places) == [1, 2, 3, 4, 5]
    for place, words in {1: "twice", 2: "no question", 3: "not one of", 4: "not an id"}.items():
        assert words in places[place]
    # with the first answer, the last would make one person of two that stand apart: all that says so is named, with who and when
    assert str(apart) in places[5]
    assert "r1, 2026-01-01" in places[5]
    assert tally(index.registry).closed == {}
    assert index.ask("select count(*) from verdict") == [(0,)]
    assert take_answers(index.registry, [first], wanted=2, answered_on=TODAY) == []
    with pytest.raises(AnswersRefused, match="already"):
        take_answers(index.registry, [first], wanted=2, answered_on=TODAY)
    changed = {A: 0, B: 1, C: 2, D: 3}[str(one.left_token)]
    index.run(people.frame([gp(str(one.left_token), NUMBERS[changed], load_seq=2, postcode="AB12 3CX")]))
    with pytest.raises(AnswersRefused, match="a record has changed"):
        answer(index, "r2", "same", one.question_id)


def test_kappa_is_cohens() -> None:
    # 50 applications, two readers: 20 both yes, 5 and 10 mixed, 15 both no; agreement .7, by chance .5
    pairs = (
        [("same", "same")] * 20 + [("same", "different")] * 5 + [("different", "same")] * 10 + [("different", "different")] * 15
    )
    assert cohens_kappa(pairs) == pytest.approx((0.7, 0.4))
    assert cohens_kappa([("same", "same")]) == (1.0, None)


tokens = st.integers(0, 5).map(lambda i: UUID(int=i))
pairs_of_tokens = st.tuples(tokens, tokens).filter(lambda p: p[0] < p[1])


@given(st.lists(st.tuples(pairs_of_tokens, st.sampled_from(["must_link", "cannot_link"])), max_size=12))
def test_decisions_that_stand_can_all_be_true_and_refused_ones_cannot(said: list[tuple[tuple[UUID, UUID], str]]) -> None:
    standing, kept = Standing(), []
    for number, ((left, right), kind) in enumerate(said):
        new = Decision(left, right, kind, "r1", TODAY, UUID(int=100 + number))
        against = standing.against(new)
        if against:
            # what is named suffices for the contradiction
            assert not _can_all_be_true([*against, new])
            with pytest.raises(ConstraintError, match=str(against[0].decision_id)):
                standing.add(new)
        else:
            standing.add(new)
            kept.append(new)
    assert _can_all_be_true(kept)


def _can_all_be_true(decisions: list[Decision]) -> bool:
    label = {token: token for d in decisions for token in (d.left, d.right)}
    for _ in label:
        for d in decisions:
            if d.kind == "must_link":
                label[d.left] = label[d.right] = min(label[d.left], label[d.right])
    return all(label[d.left] != label[d.right] for d in decisions if d.kind == "cannot_link")


# --- what a reviewer sees


def test_a_question_is_laid_out_with_the_others_of_both_persons(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), vcs(B), gp(C, NUMBERS[1], given_name="Chidera")]))
    (asked,) = doubts(index)
    (layout,) = lay_out(index.registry, index.identity, index.parameters, [asked])
    assert {str(layout.left.record_token), str(layout.right.record_token)} <= {A, B, C}
    shown = [layout.left, layout.right, *layout.left_others, *layout.right_others]
    assert {str(record.record_token) for record in shown} == {A, B, C}
    assert "twins" in layout.why
    found = {each.field: each for each in layout.evidence}
    assert found["given name"].bits < 0 < found["date of birth"].bits
    assert found["date of birth"].found == "the same"


def test_the_waterfall_adds_up_to_the_weight_of_the_night(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), vcs(B, postcode="AB12 3CE")]))
    chart = waterfall(index.registry, index.identity, UUID(A), UUID(B), spec=index.spec, parameters=index.parameters, as_of=TODAY)
    bars = {bar["column_name"]: bar["log2_bayes_factor"] for bar in chart["data"]["values"]}
    final = bars.pop("Final score")
    assert sum(bars.values()) == pytest.approx(final, abs=1e-6)
    (evidence,) = index.ask("select evidence from edge")[0]
    assert final == pytest.approx(evidence + log2_odds(index.parameters.prior(2)), abs=1e-5)


# --- bad input


@pytest.mark.parametrize("loss", ["emptied", "deleted"])
def test_a_lost_registry_is_not_taken_for_a_new_one(index: Index, loss: str) -> None:
    index.run(people.frame([gp(A, NUMBERS[0])]))
    index.run(people.frame([vcs(B)]))
    if loss == "emptied":
        index.registry.write_bytes(b"")
    else:
        index.registry.unlink()
    with pytest.raises(RegistryError, match="the last good one is"):
        index.run()
