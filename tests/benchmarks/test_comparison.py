"""The comparison: its tables say what the runs say, and what failed is not hidden."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def run(sim: str, cpu: float, wall: float | None = None, workload: str = "W1", dt: float = 0.1, **more) -> dict:
    """A result of a run of 2 s of model time."""
    return {
        "sim": sim,
        "workload": workload,
        "dt": dt,
        "T": 2000.0,
        "import_cpu_s": 0.5,
        "build_s": 1.0,
        "build_cpu_s": 0.9,
        "run_s": cpu if wall is None else wall,
        "cpu_s": cpu,
        "get_data_cpu_s": 0.1,
        "compile_s": 0.0,
        "rate_hz": 31.5,
        "n_syn": 1000000,
        "rss_mb": 200.0,
        "bytes_per_syn": 99.0,
        "load": 1.0,
        "memory": False,
        **more,
    }


RESULTS = [
    {"machine": {"cpu": "Some CPU", "vectors": "avx2", "cores": 2, "memory_gib": 24, "python": "3.11.2", "load": 0.5}},
    *(run("evsim1", cpu, wall=3 * cpu) for cpu in (0.8, 0.2, 0.4)),  # the median is 0.2 s for each second
    *(run("evsim2", 0.5, wall=wall) for wall in (0.6, 0.6, 9.0)),
    run("nest1", 16.0),
    run("nest2", 17.0, wall=9.0),
    run("b2sa1", 4.0),
    run("evsim1", 50.0, memory=True, bytes_per_syn=4.25),
]


def rows(text: str, title: str) -> dict[tuple[str, str], dict[str, str]]:
    """The table under the first heading that has the title: cells by workload and step, then by column."""
    block = next(part for part in text.split("#### ") if part.startswith(title)).strip().split("\n\n")[1]
    head, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines())
    assert all(len(cells) == len(head) for cells in body)
    return {(cells[0], cells[1]): dict(zip(head[2:], cells[2:], strict=True)) for cells in body}


def test_one_thread_counts_processor_time_and_more_threads_the_clock(script):
    found = rows(script("comparison_tables").render(RESULTS), "Cost")["W1", "0.1 ms"]
    assert found["evsim ideal"] == "0.200"
    assert found["evsim ideal, 2 threads"] == "0.300"
    assert found["NEST"] == "8.00"
    assert found["NEST, 2 threads"] == "4.50"


def test_ratios_are_at_equal_threads(script):
    text = script("comparison_tables").render(RESULTS)
    assert rows(text, "Times faster: evsim ideal against")["W1", "0.1 ms"] == {
        "NEST": "40.0 x",
        "Brian2 C++": "10.0 x",
        "Auryn *": "10.2 x",  # 3.59 / 3.51 of Brian2
        "GeNN CPU *": "7.95 x",
    }
    assert rows(text, "Times faster: evsim ideal, 2 threads")["W1", "0.1 ms"] == {"NEST": "15.0 x"}
    assert rows(text, "Times faster with two")["W1", "0.1 ms"] == {"evsim ideal": "2.00 x", "NEST": "1.78 x"}


def test_memory_runs_give_the_bytes_and_nothing_else(script):
    found = rows(script("comparison_tables").render(RESULTS), "Start, building and memory: evsim ideal")["W1", "0.1 ms"]
    assert found["bytes per synapse"] == "4.25"
    assert found["synapses"] == "1,000,000"
    assert (found["import (s)"], found["build (s)"], found["peak (MiB)"]) == ("0.500", "0.900", "200")


def test_building_is_that_of_runs_that_compiled_nothing(script):
    compiling = [run("evsim1", 1.0, build_cpu_s=9.0, compile_s=seconds) for seconds in (7.0, 6.0)]
    tables = script("comparison_tables")
    title = "Start, building and memory: evsim ideal"
    found = rows(tables.render([*compiling, run("evsim1", 1.0)]), title)["W1", "0.1 ms"]
    assert (found["build (s)"], found["compiling, at most (s)"]) == ("0.900", "7.00")
    assert rows(tables.render(compiling), title)["W1", "0.1 ms"]["build (s)"] == "9.00"


def test_what_was_not_run_is_a_dash_and_what_failed_is_listed(script):
    failed = {
        "sim": "nest1",
        "workload": "W4",
        "dt": 1.0,
        "error": "did not end within 900 s",
        "memory": False,
        "load": 1,
    }
    text = script("comparison_tables").render([*RESULTS, run("evsim1", 1.0, workload="W4", dt=1.0), failed])
    assert rows(text, "Cost")["W4", "1 ms"]["NEST"] == "-"
    assert rows(text, "Times faster: evsim ideal against")["W4", "1 ms"]["NEST"] == "-"
    assert "- NEST on W4, 1 ms: did not end within 900 s" in text


def test_the_machine_is_described_without_its_name(script):
    machine = script("comparison_tables").machine()
    assert set(machine) == {"cpu", "vectors", "cores", "memory_gib", "python", "load"}
    assert machine["cores"] >= 1


@pytest.mark.parametrize(
    ("sim", "threads", "label"),
    [
        ("evsim1", 1, "evsim ideal"),
        ("evsim2-s16", 2, "evsim spinnaker1, 2 threads"),
        ("evsim1-loihi2", 1, "evsim-loihi2"),
        ("b2sa1", 1, "Brian2 C++"),
        ("kernels", 1, "kernels"),
        ("kernels2", 2, "kernels, 2 threads"),
    ],
)
def test_names(script, sim, threads, label):
    tables = script("comparison_tables")
    assert (tables.threads(sim), tables.label(sim)) == (threads, label)


def test_tables_are_put_between_the_markers_and_nowhere_else(script, tmp_path):
    tables = script("comparison_tables")
    page = tmp_path / "page.md"
    page.write_text(f"Before\n{tables.BEGIN}\nold\n{tables.END}\nAfter\n")
    for text in ("first", "second"):
        tables.replace(page, text)
        assert page.read_text() == f"Before\n{tables.BEGIN}\n\n{text}\n\n{tables.END}\nAfter\n"


@pytest.mark.parametrize("text", ["", "{END}\n{BEGIN}\n", "{BEGIN}\n"])
def test_a_page_without_a_place_for_tables_is_not_touched(script, tmp_path, text):
    tables = script("comparison_tables")
    page = tmp_path / "page.md"
    page.write_text(before := text.format(BEGIN=tables.BEGIN, END=tables.END))
    with pytest.raises(ValueError, match="begin"):
        tables.replace(page, "new")
    assert page.read_text() == before


def test_the_projects_own_page_has_a_place_for_tables(script):
    tables = script("comparison_tables")
    page = (FOLDER.parent.parent / "docs" / "performance.md").read_text()
    assert page.count(tables.BEGIN) == page.count(tables.END) == 1
    assert page.index(tables.BEGIN) < page.index(tables.END)


def compare(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / "compare.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def program(folder: Path, body: str) -> str:
    """A command that runs a few lines of Python, as ``--also`` takes it."""
    path = folder / "program.py"
    path.write_text(body)
    return f"mine1={sys.executable} {path}"


def test_other_programs_take_turns_and_their_runs_are_kept(script, tmp_path):
    line = json.dumps(run("whatever", 1.0))
    also = program(tmp_path, f"import sys\nassert sys.argv[1:3] == ['W1', '--dt']\nprint('JSON ' + {line!r})\n")
    page = tmp_path / "page.md"
    tables = script("comparison_tables")
    page.write_text(f"{tables.BEGIN}\n{tables.END}\n")
    kept = tmp_path / "runs.jsonl"
    words = ["W1:0.1", "W1:1", "--sims", "none", "--also", also, "--repeats", "2", "--json", str(kept)]
    done = compare(*words, "--write", str(page))
    assert done.returncode == 0, done.stderr
    found = [json.loads(text) for text in kept.read_text().splitlines()]
    assert [(entry["sim"], entry["dt"]) for entry in found[1:]] == [("mine1", 0.1), ("mine1", 1.0)] * 2
    assert set(found[0]) == {"machine"}
    assert rows(page.read_text(), "Cost")["W1", "1 ms"] == {"mine": "0.500"}
    again = compare("--json", str(kept), "--tables-only")
    assert again.stdout.strip() in page.read_text()


@pytest.mark.parametrize(
    ("body", "timeout", "reason"),
    [
        ("raise SystemExit('no such network')", "60", "ended with 1: no such network"),
        ("print('done')", "60", "ended with 0: done"),
        ("import time; time.sleep(60)", "1", "did not end within 1 s"),
    ],
)
def test_a_program_that_fails_is_reported_and_not_tried_again(tmp_path, body, timeout, reason):
    words = ["W1:0.1", "--sims", "none", "--repeats", "3", "--timeout", timeout]
    done = compare(*words, "--also", program(tmp_path, body))
    assert done.returncode == 1
    assert f"mine on W1, 0.1 ms: {reason}" in done.stdout
    assert done.stdout.count("failed:") == 1


@pytest.mark.parametrize("words", [["W9:0.1"], ["W1"], ["W1:fast"], ["--also", "nameless"], ["--tables-only"]])
def test_a_wrong_command_line_is_refused(words):
    done = compare(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
