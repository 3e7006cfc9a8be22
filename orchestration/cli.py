"""`phm`: the warehouse from the command line.

Exit codes: 0 done (with warnings, if any, in the summary) · 1 the run failed, the last release goes on serving ·
2 cannot start: a setting, the key, a contract or an argument · 3 done, but with warnings and `--strict` was given ·
75 another run is under way.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from linkage.errors import LinkageError
from orchestration.access_register import AccessError, AccessRefused
from orchestration.audit_log import AuditError, AuditLog, Head
from orchestration.codelists.reading import CodelistError
from orchestration.cohort_definition import CohortError
from orchestration.dbt import DbtError
from orchestration.feedback.errors import FeedbackError
from orchestration.landing.agreements import AgreementError
from orchestration.landing.contract import ContractError
from orchestration.landing.errors import LandingError
from orchestration.night import open_night, parse_date, resolve_as_of
from orchestration.publishing.pages import PageError
from orchestration.publishing.release import ReleaseError, current_release, find_release, list_releases, switch
from orchestration.purposes import PurposeError
from orchestration.run_lock import RunLocked, run_lock
from orchestration.settings import PROJECT_DIR, SettingsError, load_settings
from orchestration.stratification.errors import RiskModelError
from orchestration.zones import claim, create_key, prepare_zones

# Dagster, dbt, Great Expectations and Splink cost seconds to import: each command imports what it needs.

EXIT_FAILED = 1
EXIT_CANNOT_START = 2
EXIT_WARNINGS = 3
EXIT_LOCKED = 75

app = typer.Typer(
    name="phm",
    help="Population health management warehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys_app = typer.Typer(help="The pseudonymisation key.", no_args_is_help=True)
release_app = typer.Typer(help="Releases: list them, go back to an earlier one.", no_args_is_help=True)
linkage_app = typer.Typer(help="Linkage.", no_args_is_help=True)
registers_app = typer.Typer(help="Registers and case finding.", no_args_is_help=True)
cohort_app = typer.Typer(help="Cohorts that you define in a file of your own.", no_args_is_help=True)
review_app = typer.Typer(
    help="Clerical review: are these two records one person? What is shown identifies people.", no_args_is_help=True
)
audit_app = typer.Typer(help="The log of every request for names.", no_args_is_help=True)
codelist_app = typer.Typer(help="Codelists: load your own, see what a new version changes.", no_args_is_help=True)
risk_app = typer.Typer(help="The local risk model: train it, put a version to use.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(audit_app, name="audit")
app.add_typer(codelist_app, name="codelist")
app.add_typer(release_app, name="release")
app.add_typer(linkage_app, name="linkage")
app.add_typer(registers_app, name="registers")
app.add_typer(review_app, name="review")
app.add_typer(risk_app, name="risk")
app.add_typer(cohort_app, name="cohort")

People = Annotated[int, typer.Option(min=50, help="Number of people in the synthetic place.")]
Nights = Annotated[int, typer.Option(min=0, help="Nightly deltas after the first bulk delivery.")]
Seed = Annotated[int, typer.Option(help="The same seed makes the same place.")]
ServedPurpose = Annotated[str, typer.Option("--purpose", help="Whose part of the release: direct_care, secondary_use or open.")]


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Turn expected errors into a message on standard error and a documented exit code."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except RunLocked as error:
            _complain(str(error))
            raise typer.Exit(EXIT_LOCKED) from error
        except (
            SettingsError,
            AgreementError,
            CodelistError,
            ContractError,
            LandingError,
            LinkageError,
            DbtError,
            PurposeError,
            ReleaseError,
            AccessError,
            RiskModelError,
            CohortError,
            FeedbackError,
        ) as error:
            _complain(str(error))
            raise typer.Exit(EXIT_CANNOT_START) from error
        except (AccessRefused, AuditError, PageError) as error:
            _complain(str(error))
            raise typer.Exit(EXIT_FAILED) from error
        except KeyboardInterrupt as error:
            _complain("Stopped. Run again to finish; the last release goes on serving.")
            raise typer.Exit(130) from error

    return run


def _complain(message: str) -> None:
    Console(stderr=True).print(f"[bold red]phm:[/] {message}", highlight=False, soft_wrap=True)


@app.command()
@_guarded
def demo(people: People = 20_000, nights: Nights = 1, seed: Seed = 1) -> None:
    """Make a synthetic place, load its bulk delivery and its nightly deltas, and publish. Safe to run again."""
    from orchestration.demo import Place, run_demo

    settings = load_settings()
    claim(settings, "demo")
    prepare_zones(settings)
    if not settings.key_path.exists() and not settings.names_a_key:
        create_key(settings)
    if not run_demo(settings, Place(people, nights, seed), Console()):
        raise typer.Exit(EXIT_FAILED)


@app.command()
@_guarded
def synth(people: People = 20_000, nights: Nights = 1, seed: Seed = 1) -> None:
    """Only write the synthetic suppliers' files into the landing zone (and the truth beside it)."""
    from orchestration.demo import Place, synthesise

    settings = load_settings()
    claim(settings, "demo")
    prepare_zones(settings)
    synthesise(settings, Place(people, nights, seed), Console())


@app.command()
@_guarded
def run(
    as_of: Annotated[str | None, typer.Option(help="The run's date, YYYY-MM-DD; deliveries dated after it wait.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Land only this source; may be given several times.")] = None,
    delivery_date: Annotated[str | None, typer.Option(help="Backfill: land only deliveries of this date, YYYY-MM-DD.")] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Rebuild incremental tables from all deliveries.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 3 when a source is refused, held or stale, or a check warns.")
    ] = False,
) -> None:
    """Load what has arrived and publish a release: the nightly job, in this process."""
    from orchestration.run import NightRequest, run_night

    settings = load_settings()
    request = NightRequest(as_of=as_of, sources=tuple(source or ()), delivery_date=delivery_date, full_refresh=full_refresh)
    with open_night(settings, shlex.join(["phm", *sys.argv[1:]])):
        outcome = run_night(settings, request, Console())
    if not outcome.succeeded:
        raise typer.Exit(EXIT_FAILED)
    if strict and outcome.has_warnings:
        raise typer.Exit(EXIT_WARNINGS)


@app.command()
@_guarded
def status() -> None:
    """What landed, what is stale, what is being served, and whether a run is under way."""
    from orchestration.status import print_status

    print_status(load_settings(), Console())


@app.command()
@_guarded
def query(
    sql: Annotated[str, typer.Argument(help="A query; the tables are in schema `marts`.")],
    purpose: ServedPurpose = "direct_care",
    form: Annotated[str | None, typer.Option("--format", help="table, csv or parquet; else as the file's name ends.")] = None,
    output: Annotated[Path | None, typer.Option("--output", help="The file to write; else the screen.", dir_okay=False)] = None,
) -> None:
    """Ask the release that is being served, in SQL. Reads it and nothing else."""
    from orchestration.served_release import answer

    answer(load_settings(), sql, purpose, form, output, Console().width)


@app.command("open")
@_guarded
def open_page(purpose: ServedPurpose = "direct_care") -> None:
    """Open the front page of the release that is being served in a browser; without a desktop, say where it is."""
    from orchestration.served_release import front_page, show_page

    page = front_page(load_settings(), purpose)
    typer.echo(f"Opened {page}." if show_page(page) else str(page))


@app.command()
@_guarded
def pages(
    release: Annotated[str | None, typer.Option(help="Of this release; else of the one being served.")] = None,
    purpose: Annotated[list[str] | None, typer.Option(help="Only this purpose's site; may be given several times.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Another folder of pages than the one shipped here.")] = None,
    to: Annotated[Path | None, typer.Option(help="Where to write; else warehouse/sites/<release>.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Write nothing: show them here, and follow every change.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="With --serve: the port on 127.0.0.1.")] = 8765,
) -> None:
    """Build the sites of a release once more, or preview them while you write a page."""
    from orchestration.sites import rebuild_sites, sites_of

    settings = load_settings()
    pages_dir = (folder or settings.pages_dir).expanduser().resolve()
    if not pages_dir.is_dir():
        raise ReleaseError(f"There is no folder {pages_dir}.")
    chosen = find_release(settings.releases_dir, release)
    if serve:
        from orchestration.publishing.preview import ADDRESS, Preview, serve_preview

        preview = Preview(pages_dir, sites_of(settings, chosen, purpose or []))
        typer.echo(f"Release {chosen.release_id} on http://{ADDRESS}:{port}, until Ctrl-C. It follows {pages_dir}.")
        try:
            serve_preview(preview, port)
        except OSError as error:
            raise ReleaseError(f"Port {port} cannot be used ({error.strerror}); give another with --port.") from error
        return
    for site in rebuild_sites(settings, chosen, purpose or [], pages_dir, to.expanduser().resolve() if to else None):
        typer.echo(f"{site.purpose}: {site.n_pages} pages in {site.seconds:.1f} s, at {site.folder / 'index.html'}")
    typer.echo(f"Release {chosen.release_id} itself is as it was; the next `phm run` publishes these pages.")


@app.command()
@_guarded
def link(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file with one record a row.")],
    to: Annotated[Path | None, typer.Option(help="Another file to link it to.")] = None,
    index: Annotated[bool, typer.Option("--index", help="Link it to the people of the patient index.")] = False,
    columns: Annotated[
        str, typer.Option(help="What the columns mean: given_name=fname,family_name=sname,birth_date=dob,text:birthplace=pob,...")
    ] = "",
    to_columns: Annotated[str | None, typer.Option(help="The same for the other file, where it differs.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="The same as a YAML file of `role: column` lines.")] = None,
    encodings: Annotated[
        Path | None, typer.Option(help="The file holds encodings made by `phm encode` with the secret in this file.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Likeness of encodings from which a person is reviewed.")
    ] = 0.85,
    output: Annotated[Path | None, typer.Option(help="Where to write (.csv or .parquet); else the identifiable zone.")] = None,
    as_of: Annotated[str | None, typer.Option(help="The date of the file, YYYY-MM-DD.")] = None,
) -> None:
    """Who in a table is one person? Links any table of people to itself, to another file, or to the patient index."""
    from orchestration.link_file import LinkRequest, link_file

    request = LinkRequest(file, to, index, columns, to_columns, mapping, output, as_of, encodings, threshold)
    for line in link_file(load_settings(), request):
        typer.echo(line)


@app.command()
@_guarded
def encode(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file with one person a row.")],
    secret: Annotated[Path, typer.Option(help="File with the secret that both sides of one project share.")],
    new_secret: Annotated[bool, typer.Option("--new-secret", help="Make the secret first.")] = False,
    columns: Annotated[str, typer.Option(help="What the columns mean, as in `phm link`.")] = "",
    output: Annotated[Path | None, typer.Option(help="Where to write (.csv or .parquet).")] = None,
    as_of: Annotated[str | None, typer.Option(help="The date of the file, YYYY-MM-DD.")] = None,
) -> None:
    """A partner's side of linking without names: turn each person into a keyed encoding."""
    from orchestration.link_file import encode_file

    for line in encode_file(load_settings(), file, secret, new_secret, columns, output, as_of):
        typer.echo(line)


@app.command()
@_guarded
def doctor() -> None:
    """Is this machine, and this data directory, fit to run the warehouse? Exit 1 when something must be mended."""
    from orchestration.doctor import diagnose, print_diagnosis

    findings = diagnose(load_settings())
    print_diagnosis(findings, Console())
    if any(finding.level == "fail" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


@app.command()
@_guarded
def dev() -> None:
    """Dagster's web server and daemon over this data directory, on http://localhost:3000."""
    from orchestration.dagster_home import write_dagster_home

    settings = load_settings()
    prepare_zones(settings)
    environment = {**os.environ, "DAGSTER_HOME": str(write_dagster_home(settings))}
    os.chdir(PROJECT_DIR)
    os.execve(str(Path(sys.executable).parent / "dagster"), ["dagster", "dev"], environment)


@app.command()
@_guarded
def dictionary() -> None:
    """Write docs/dictionary.md anew from the models and the contracts."""
    import json

    from orchestration.dbt import ensure_manifest
    from orchestration.landing.contract import read_contracts
    from orchestration.publishing.dictionary import render_dictionary

    settings = load_settings()
    manifest = json.loads(ensure_manifest(settings).read_text(encoding="utf-8"))
    target = PROJECT_DIR / "docs" / "dictionary.md"
    target.write_text(render_dictionary(manifest, read_contracts(settings.staging_dir)), encoding="utf-8")
    typer.echo(f"Wrote {target}.")


@app.command()
@_guarded
def reidentify(
    organisation: Annotated[str, typer.Option(help="Code of the practice, trust or service that cares for the people.")],
    requester: Annotated[str, typer.Option(help="Who asks, as in the register of access.")],
    role: Annotated[str, typer.Option(help="In which role, as in the register of access.")],
    reason: Annotated[str, typer.Option(help="Why, in a sentence; without saying who.")],
    people: Annotated[
        Path | None, typer.Argument(help="A CSV or Parquet file with a column `person_id`, of a direct care release.")
    ] = None,
    cohort: Annotated[str | None, typer.Option(help="Instead of a file: a cohort of the release, such as homeless.")] = None,
    days: Annotated[int, typer.Option(help="Days after which the list is destroyed.")] = 28,
) -> None:
    """Who is behind the ids of a list? Told only to an organisation that cares for them now, and always logged."""
    from orchestration.reidentification import Request
    from orchestration.reidentification import reidentify as tell

    told = tell(load_settings(), Request(organisation, requester, role, reason, days, cohort, people))
    typer.echo(f"Wrote {told.n_told:,} of {told.n_asked:,} people to {told.path} (mode 0600), until {told.expires_on}.")
    if told.n_told < told.n_asked:
        typer.echo(f"{told.n_asked - told.n_told:,} were refused: {organisation} has no current relationship with them.")
    typer.echo(f"Request {told.request_id}; audit log at {told.audit_head}.")


@app.command()
@_guarded
def feedback() -> None:
    """Write each supplier's pack: its faults in its own row identities, what to do, and whom each concerns."""
    from orchestration.feedback.pack import write_packs

    settings = load_settings()
    settings.require_environment()
    with run_lock(settings.lock_path, "phm feedback"):
        packs = write_packs(settings)
    for pack in packs:
        whose = f"{pack.source} {pack.organisation_code or ''}".strip()
        typer.echo(f"{whose}: {pack.n_rows:,} rows, {pack.n_faults} kinds of fault, about {pack.n_people_changed:,.0f} people")
    typer.echo(f"Wrote {len(packs)} packs below {settings.feedback_dir} (mode 0700). Give each to its own supplier only.")


@audit_app.command("verify")
@_guarded
def audit_verify(
    head: Annotated[str | None, typer.Option(help="A head that was printed earlier: the log must still hold it.")] = None,
) -> None:
    """Check that no line of the audit log was changed, taken out or put in. Exit 1 when one was."""
    found = AuditLog(load_settings().audit_path).verify(Head.parse(head) if head else None)
    typer.echo(f"{found.n_entries:,} lines, unbroken. Head, to be kept elsewhere: {found}")


@audit_app.command("list")
@_guarded
def audit_list(
    most: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 20,
) -> None:
    """The newest lines of the audit log: who asked for whom, why, and what became of it. Names nobody who was asked for."""
    for entry in list(AuditLog(load_settings().audit_path).entries())[-most:]:
        n_told = sum(person["told"] for person in entry.get("people", []))
        details = {k: entry[k] for k in ("requester", "role", "organisation_code", "cohort", "reason", "outcome") if entry.get(k)}
        told = f"{n_told} of {len(entry['people'])} people; " if "people" in entry else ""
        typer.echo(f"{entry['seq']} {entry['at']} {entry['event']}: {told}" + ", ".join(f"{k} {v}" for k, v in details.items()))


@keys_app.command("create")
@_guarded
def keys_create() -> None:
    """Make a new random pseudonymisation key. It never replaces one."""
    path = create_key(load_settings())
    Console().print(
        f"Made a new key at {path} (mode 0600). Keep a copy somewhere safe: without it no later delivery can be linked."
    )


@keys_app.command("rotate")
@_guarded
def keys_rotate(
    new_key_file: Annotated[
        Path | None, typer.Option(help="The new key (mode 0600). Needed where the environment names the key; else one is made.")
    ] = None,
) -> None:
    """Go over to a new key: every token is made anew, every person keeps their id. The next run builds from what has landed."""
    from orchestration.key_rotation import rotate

    settings = load_settings()
    settings.require_environment()
    with run_lock(settings.lock_path, "phm keys rotate"):
        rotated = rotate(settings, new_key_file, typer.echo)
    typer.echo(f"The key is now {rotated.key_id}. Keep a copy of it somewhere safe, and destroy the former one.")
    if rotated.n_unknown:
        typer.echo(f"{rotated.n_unknown:,} tokens stand for ids that no record has; they meet nobody until they are sent again.")
    typer.echo("Now `phm run`: releases made before it keep their ids, and lose their secondary use part.")


@codelist_app.command("load")
@_guarded
def codelist_load(
    file: Annotated[Path, typer.Argument(help="An OpenCodelists download, or a Primary Care Domain reference set.")],
    codelist: Annotated[
        str | None, typer.Option("--list", help="The codelist it is, such as snomed_asthma; a reference set says by itself.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Its version; else the date or tag in the file's name.")] = None,
    resolution: Annotated[
        Path | None, typer.Option(help="A second file, with the codes that take people off the register.")
    ] = None,
    cluster: Annotated[list[str] | None, typer.Option(help="Cluster of a reference set that makes the list; repeat.")] = None,
    resolution_cluster: Annotated[list[str] | None, typer.Option(help="Cluster whose codes take people off; repeat.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what it holds and how it differs; load nothing.")] = False,
) -> None:
    """Load your own codelist, or the lists that a reference set makes. One named as a shipped list replaces it at this place."""
    from orchestration.codelist_library import LoadRequest, load, print_offer, read_offer

    settings = load_settings()
    request = LoadRequest(file, codelist, version, resolution, tuple(cluster or ()), tuple(resolution_cluster or ()))
    offer = read_offer(settings, request)
    print_offer(offer, None if check else load(settings, offer), Console())


@codelist_app.command("list")
@_guarded
def codelist_list() -> None:
    """Every codelist, the version in use, and the other versions that are held."""
    from orchestration.codelist_library import print_lists

    print_lists(load_settings(), Console())


@codelist_app.command("diff")
@_guarded
def codelist_diff(
    old: Annotated[str, typer.Argument(help="LIST, LIST@VERSION or LIST@shipped.")],
    new: Annotated[str, typer.Argument(help="The same, for the list to compare with it.")],
    most: Annotated[int, typer.Option(min=1, help="Show at most so many changes.")] = 40,
) -> None:
    """What changes from one version to another, and how many events and people of the last run that touches."""
    from orchestration.codelist_library import difference, print_difference

    print_difference(difference(load_settings(), old, new), Console(), most)


@codelist_app.command("remove")
@_guarded
def codelist_remove(name: Annotated[str, typer.Argument(help="LIST@VERSION, as `phm codelist list` names it.")]) -> None:
    """Take a loaded version out; the one before it, or the shipped one, is in use again from the next run on."""
    from orchestration.codelist_library import remove

    left = remove(load_settings(), name)
    typer.echo(f"Removed {name}; in use from the next `phm run` on: {left or 'none'}.")


@linkage_app.command("train")
@_guarded
def linkage_train(
    version: Annotated[str, typer.Option(help="Name of the new model; names sort by version, and the last is in use.")],
    trained_on: Annotated[str, typer.Option(help="The data, in a few words, for the model card.")],
) -> None:
    """Train linkage on the records that have landed. The model and its card are files to be reviewed and committed."""
    from orchestration.patient_index import train_model

    settings = load_settings()
    trained = train_model(settings, version, trained_on, resolve_as_of(settings, None))
    typer.echo(f"Wrote {trained.model_path} and {trained.card_path}. Review the card, then commit both.")


@risk_app.command("train")
@_guarded
def risk_train(
    version: Annotated[str, typer.Option(help="Name of the new version; names sort by version.")],
    trained_on: Annotated[str, typer.Option(help="The data, in a few words, for the model card.")],
    index_date: Annotated[
        str | None, typer.Option(help="Describe people as of this day, YYYY-MM-DD; without it, a year before the last night.")
    ] = None,
) -> None:
    """Train on people as they were a year ago and who was admitted since. Writes the model and its card; changes no score."""
    from orchestration.risk_model import train_risk_model

    settings = load_settings()
    settings.require_environment()
    day = parse_date(index_date) if index_date else None
    with run_lock(settings.lock_path, "phm risk train"):
        trained = train_risk_model(settings, version, trained_on, day)
    figures = trained.model.figures
    typer.echo(
        f"AUROC {figures.auroc.value:.3f} ({figures.auroc.low:.3f} to {figures.auroc.high:.3f}), calibration slope "
        f"{figures.calibration_slope.value:.2f}, on people held out."
    )
    for warning in trained.model.warnings:
        typer.echo(f"To mind: {warning}")
    typer.echo(f"Wrote {trained.model_path} and {trained.card_path}. Review the card, then `phm risk use {version}`.")


@risk_app.command("use")
@_guarded
def risk_use(version: Annotated[str, typer.Argument(help="A version that `phm risk list` names.")]) -> None:
    """Let a version, whose card somebody has reviewed, score people from the next run on; an earlier one may be taken back."""
    from orchestration.risk_model import use_risk_model

    settings = load_settings()
    with run_lock(settings.lock_path, "phm risk use"):
        use_risk_model(settings, version)
    typer.echo(f"Version {version} scores people from the next run on.")


@risk_app.command("list")
@_guarded
def risk_list() -> None:
    """Every version that was trained here; the one in use is marked."""
    from orchestration.risk_model import risk_models, version_in_use

    settings = load_settings()
    in_use = version_in_use(settings)
    for model in risk_models(settings):
        people = model.population
        typer.echo(
            f"{'*' if model.version == in_use else ' '} {model.version}  people of {people.index_date}  AUROC "
            f"{model.figures.auroc.value:.3f}  {people.n_outcomes:,} of {people.n_people:,} admitted"
        )


Reviewer = Annotated[str, typer.Option(help="Your short id, such as a staff code; not a name.")]
OnlySample = Annotated[bool, typer.Option("--sample", help="Only the sample that measures quality.")]


@review_app.command("next")
@_guarded
def review_next(
    reviewer: Reviewer,
    sample: OnlySample = False,
    question: Annotated[str | None, typer.Option(help="Answer this question without being asked; needs --verdict.")] = None,
    verdict: Annotated[str | None, typer.Option(help="same, different or unsure.")] = None,
    comment: Annotated[str, typer.Option(help="Why; without names.")] = "",
) -> None:
    """Look at the questions that matter most, side by side, and answer them one by one; or answer one from a script."""
    from orchestration.review_desk import Desk, ask

    desk, console = Desk(load_settings()), Console()
    if (question is None) != (verdict is None):
        raise typer.BadParameter("--question and --verdict go together")
    if question and verdict:
        decided = desk.answer_one(question, reviewer, verdict, comment)
        typer.echo(f"Decided: {decided[0]}" if decided else "Taken.")
        return
    answered = ask(desk, reviewer, console, console.input, only_sample=sample)
    typer.echo(f"{answered:,} answered; no more wait for {reviewer} now, or you stopped.")


@review_app.command("list")
@_guarded
def review_list(
    decided: Annotated[bool, typer.Option("--decided", help="The decisions in force instead of the open questions.")] = False,
    sample: OnlySample = False,
    most: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 50,
) -> None:
    """The open questions, most important first. Names nobody."""
    from orchestration.review_desk import Desk, print_list

    desk = Desk(load_settings())
    if decided:
        for decision in desk.decisions()[-most:]:
            typer.echo(decision)
        return
    print_list(desk.questions(only_sample=sample)[:most], Console())


@review_app.command("status")
@_guarded
def review_status() -> None:
    """How many questions are open and answered, and how far reviewers agree (Cohen's kappa)."""
    from orchestration.review_desk import Desk

    Desk(load_settings()).print_status(Console())


@review_app.command("export")
@_guarded
def review_export(
    reviewer: Reviewer,
    file: Annotated[Path | None, typer.Argument(help="A .csv file; by default in the identifiable zone.")] = None,
    most: Annotated[int, typer.Option(min=1, help="At most so many questions.")] = 200,
    sample: OnlySample = False,
) -> None:
    """Write a reviewer's questions as a spreadsheet (mode 0600). It identifies people: keep it where you keep the records."""
    from orchestration.review_desk import Desk

    desk = Desk(load_settings())
    target = file or desk.default_sheet(reviewer)
    written = desk.export(target, reviewer, most=most, only_sample=sample)
    typer.echo(f"Wrote {written:,} questions to {target}. Fill in the column `verdict`, then `phm review import {target}`.")


@review_app.command("import")
@_guarded
def review_import(file: Annotated[Path, typer.Argument(help="A filled-in sheet, saved as `CSV UTF-8`.")]) -> None:
    """Take in a sheet's verdicts: all of them, or none when one line is wrong."""
    from orchestration.review_desk import Desk

    taken, decided = Desk(load_settings()).import_sheet(file)
    typer.echo(f"Took {taken:,} verdicts; {len(decided):,} decisions made, which hold from the next run on.")


@review_app.command("undo")
@_guarded
def review_undo(
    decision: Annotated[str, typer.Argument(help="A decision that `phm review list --decided` names.")], reviewer: Reviewer
) -> None:
    """End a decision. From the next run on both persons are as if it never was, ids included."""
    from orchestration.review_desk import Desk

    typer.echo(f"Ended: {Desk(load_settings()).undo(decision, reviewer)}")


@review_app.command("waterfall")
@_guarded
def review_waterfall(
    left: Annotated[str, typer.Argument(help="A record token.")],
    right: Annotated[str, typer.Argument(help="Another record token.")],
    out: Annotated[Path, typer.Option(help="The page to write (mode 0600); it shows what the records say.")],
) -> None:
    """Draw how each comparison adds to the weight of two records: Splink's waterfall chart, fetched from nowhere."""
    from orchestration.review_desk import Desk

    Desk(load_settings()).write_waterfall(left, right, out)
    typer.echo(f"Wrote {out}.")


@linkage_app.command("evaluate")
@_guarded
def linkage_evaluate(
    truth: Annotated[Path, typer.Option(help="Folder with records.parquet and people.parquet, as `phm synth` writes them.")],
    withhold_numbers: Annotated[
        float, typer.Option(min=0, max=1, help="Link this share of the records without their NHS number, in a scratch folder.")
    ] = 0.0,
) -> None:
    """Judge the index by a known truth: precision, recall and B-cubed, over all and by group."""
    from orchestration.evaluation import evaluate_index, print_evaluation

    settings = load_settings()
    as_of = resolve_as_of(settings, None)
    print_evaluation(evaluate_index(settings, truth, as_of, withhold_numbers), Console())


@linkage_app.command("verify")
@_guarded
def linkage_verify() -> None:
    """Link everything from nothing in a shadow and compare it with the registry. Exit 1, with an alert, when they differ."""
    from orchestration.verification import print_verification, verify_index

    settings = load_settings()
    with run_lock(settings.lock_path, "phm linkage verify"):
        found = verify_index(settings)
    print_verification(found, Console())
    if not found.is_sound:
        raise typer.Exit(EXIT_FAILED)


@registers_app.command("evaluate")
@_guarded
def registers_evaluate(
    truth: Annotated[Path, typer.Option(help="Folder with records.parquet and conditions.parquet, as `phm synth` writes them.")],
) -> None:
    """Judge registers and case finding by a known truth: recall and precision a condition."""
    from orchestration.register_evaluation import evaluate_registers, print_agreement

    settings = load_settings()
    as_of = resolve_as_of(settings, None)
    with run_lock(settings.lock_path, "phm registers evaluate"):
        found = evaluate_registers(settings, truth, as_of)
    print_agreement(found, Console())


Purpose = Annotated[
    str, typer.Option(help="Whose release: secondary_use (planning) or direct_care (a clinician will act on it).")
]


@cohort_app.command("new")
@_guarded
def cohort_new(
    name: Annotated[str, typer.Argument(help="What the cohort is called.")],
    folder: Annotated[Path, typer.Option(help="Where to write the file.", file_okay=False, exists=True)] = Path(),
) -> None:
    """Write a definition to begin with: commented, and it runs as it is."""
    from orchestration.cohort_file import new_definition

    path = new_definition(name, folder)
    typer.echo(f"Wrote {path}. Change it, then: phm cohort run {path}")


@cohort_app.command("run")
@_guarded
def cohort_run(
    file: Annotated[Path, typer.Argument(help="A definition, as `phm cohort new` writes one.")],
    purpose: Purpose = "secondary_use",
    output: Annotated[Path | None, typer.Option(help="Where to write the members (.csv or .parquet); else here.")] = None,
    since: Annotated[str | None, typer.Option(help="Also say who joined and left since this earlier release.")] = None,
) -> None:
    """Who belongs, why, and how many meet each criterion: a definition against the release being served."""
    from orchestration.cohort_file import run_definition

    run_definition(load_settings(), file, purpose, output, since, Console())


@cohort_app.command("list")
@_guarded
def cohort_list(purpose: Purpose = "secondary_use") -> None:
    """The cohorts that every release holds, with their size."""
    from orchestration.cohort_file import list_cohorts

    for line in list_cohorts(load_settings(), purpose):
        typer.echo(line)


@release_app.command("list")
@_guarded
def release_list() -> None:
    """Every release that is kept, newest first; the one being served is marked."""
    settings = load_settings()
    serving = current_release(settings.releases_dir)
    for found in list_releases(settings.releases_dir):
        mark = "*" if serving and found.release_id == serving.release_id else " "
        typer.echo(f"{mark} {found.release_id}  as of {found.as_of}  built {found.built_at}  {found.n_people:,} people")


@release_app.command("rollback")
@_guarded
def release_rollback(release_id: Annotated[str, typer.Argument(help="A release that `phm release list` names.")]) -> None:
    """Serve an earlier release again; the next run publishes a new one as usual."""
    settings = load_settings()
    with run_lock(settings.lock_path, "phm release rollback"):
        switch(settings.releases_dir, release_id)
    typer.echo(f"Serving {release_id}.")


if __name__ == "__main__":
    app()
