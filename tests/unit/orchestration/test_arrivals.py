"""Deliveries that arrive by day ask for a run once, and only when they have come to rest."""

from __future__ import annotations

from orchestration.arrivals import Look, settled_arrivals


def deliver(landing, name, text="a,b\n", file="patient.csv"):
    folder = landing / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)


def looks(landing):
    """A function that looks again, remembering through the cursor as the sensor does."""
    cursor = None

    def again():
        nonlocal cursor
        settled, now = settled_arrivals(landing, Look.from_cursor(cursor))
        cursor = now.to_cursor()
        return settled

    return again


def test_what_is_there_at_the_first_look_belongs_to_the_night(tmp_path):
    deliver(tmp_path, "gp_emis/2025-04-01")
    again = looks(tmp_path)
    assert [again(), again()] == [[], []]


def test_a_delivery_waits_until_it_stops_growing_and_is_asked_for_once(tmp_path):
    again = looks(tmp_path)
    again()
    deliver(tmp_path, "gp_emis/2025-04-02")
    assert again() == []
    deliver(tmp_path, "gp_emis/2025-04-02", "a,b\n1,2\n")
    assert again() == []
    assert again() == ["gp_emis/2025-04-02"]
    assert again() == []


def test_a_corrected_delivery_asks_again(tmp_path):
    deliver(tmp_path, "gp_emis/2025-04-01")
    again = looks(tmp_path)
    again()
    deliver(tmp_path, "gp_emis/2025-04-01", "a,b\n3,4\n")
    assert again() == []
    assert again() == ["gp_emis/2025-04-01"]


def test_files_still_in_transfer_and_strange_folders_ask_for_nothing(tmp_path):
    again = looks(tmp_path)
    again()
    deliver(tmp_path, "gp_emis/notes")
    deliver(tmp_path, "gp_emis/2025-04-03", file="patient.csv.part")
    again()
    assert again() == []
