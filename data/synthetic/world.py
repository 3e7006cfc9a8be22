"""The world, a chunk at a time: people, their health, and everything that services would know of it."""

from __future__ import annotations

import numpy as np
import polars as pl

from synthetic.care import Health, conditions_frame, make_health
from synthetic.gp_care import gp_frames
from synthetic.hospital_care import hospital_frames
from synthetic.other_care import other_frames
from synthetic.people import make_population
from synthetic.place import Place
from synthetic.timeline import Window
from synthetic.world_schema import SCHEMA, Chunk

#: People in a chunk: families and care do not cross chunks, and no chunk needs another.
CHUNK_PEOPLE = 2_500

#: `known_to_*` of people -> frames in which being named makes somebody known.
_KNOWN_BY = {
    "known_to_acute": ("emergency_attendances", "inpatient_episodes", "outpatient_attendances"),
    "known_to_community": ("community_referrals",),
    "known_to_mental_health": ("mental_health_referrals",),
    "known_to_social_care": ("social_care_events",),
    "known_to_housing": ("tenancies", "homelessness_cases"),
    "known_to_voluntary_sector": ("voluntary_referrals",),
}


def chunk_count(people: int) -> int:
    """How many chunks that many people make; the last may be smaller."""
    return -(-people // CHUNK_PEOPLE)


def make_chunk(index: int, people: int, place: Place, window: Window, seed: int) -> Chunk:
    """Chunk `index` of a world of `people`: the same frames for the same arguments, whatever was made before."""
    first_no = index * CHUNK_PEOPLE
    pop = make_population(index, first_no, min(CHUNK_PEOPLE, people - first_no), place, window, seed)
    health = make_health(index, pop, place, window, seed)
    frames = {"addresses": pop.addresses, "registrations": pop.registrations, "conditions": conditions_frame(health)}
    frames |= gp_frames(health, seed) | hospital_frames(health, seed) | other_frames(health, seed)
    frames["people"] = _people(health, frames)
    return Chunk(index, {table: _shaped(frames[table], table) for table in SCHEMA})


def _shaped(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """The columns and types of the schema, in its order, by person; nothing from beyond the horizon is kept by the makers."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA[table].items()).sort("person_no", maintain_order=True)


def _people(health: Health, frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """People with who knows of them, and the planted truths."""
    pop = health.pop
    known = []
    for column, tables in _KNOWN_BY.items():
        mask = np.zeros(pop.n, dtype=bool)
        for table in tables:
            mask[frames[table]["person_no"].to_numpy() - pop.first_no] = True
        known.append(pl.Series(column, mask))
    # The registration of the never registered is empty; so is that of people who came too late to register.
    registered = np.zeros(pop.n, dtype=bool)
    registered[pop.registrations["person_no"].to_numpy() - pop.first_no] = True
    return pop.people.with_columns(
        *known,
        pl.Series("known_to_gp", registered),
        pl.Series("is_mental_health_riser", health.is_mental_health_riser),
        pl.Series("is_unpaid_carer", health.is_unpaid_carer),
        pl.Series("in_intervention_team", ~np.isnat(health.intervention_on)),
    )
