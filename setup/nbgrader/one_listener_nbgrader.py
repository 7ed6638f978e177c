"""nbgrader with One Listener's exercises: starters in the place of solutions, and student code in our sandbox only.

nbgrader would execute a submission as the user who owns the gradebook. Here it executes nothing: the notebook goes to
our grader as a file, what comes back is the points and the story of each test, and these become the outputs of the
check cells, where nbgrader looks.

Written by `npx one-listener exercise release`, and written anew by the next one: change nbgrader_config.py instead.
Python 3.9 or later.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import tempfile
from typing import NamedTuple

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell
from nbformat.validator import isvalid
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import (
    ClearSolutions,
    DeduplicateIds,
    Execute,
    NbGraderPreprocessor,
    OverwriteCells,
    SaveCells,
)
from traitlets import Bool, Integer, List, Unicode

CHECK = "-check"
NO_KERNEL = "one-listener-grades-this"
COMMAND_VARIABLE = "ONE_LISTENER_COMMAND"


def configure(c, command):
    """Puts our preprocessors into the places of nbgrader's own.

    `command`: how our grader is started, a list of words.
    """

    def stock(converter, trait):
        return converter.class_traits()[trait].make_dynamic_default()

    def exchanged(preprocessors, theirs, ours):
        if theirs not in preprocessors:
            raise RuntimeError(f"this nbgrader has no {theirs.__name__} where One Listener expects it")
        return [ours if each is theirs else each for each in preprocessors]

    sanitizing = [
        each for each in stock(Autograde, "sanitize_preprocessors") if each not in (DeduplicateIds, OverwriteCells)
    ]
    c.Autograde.sanitize_preprocessors = [RestoreCells, *sanitizing]
    c.Autograde.autograde_preprocessors = exchanged(
        stock(Autograde, "autograde_preprocessors"), Execute, GradeInSandbox
    )
    generating = exchanged(stock(GenerateAssignment, "preprocessors"), ClearSolutions, StarterForSolution)
    c.GenerateAssignment.preprocessors = exchanged(generating, SaveCells, SaveWithoutKernel)
    c.ClearSolutions.code_stub = {
        "typescript": "// YOUR CODE HERE",
        "python": "# YOUR CODE HERE\nraise NotImplementedError()",
    }
    # The release folder is there before nbgrader's first run, which would otherwise skip the assignment,
    # and its gradebook with it.
    c.GenerateAssignment.force = True
    c.GradeInSandbox.command = list(command)


class StarterForSolution(ClearSolutions):
    """In the place of a solution stands the exercise's own starter, where the cell carries one."""

    def preprocess_cell(self, cell, resources, cell_index):
        starter = cell.metadata.get("one_listener", {}).get("starter")
        if not (utils.is_solution(cell) and cell.cell_type == "code" and isinstance(starter, str)):
            return super().preprocess_cell(cell, resources, cell_index)
        cell.source = starter
        return cell, resources


class SaveWithoutKernel(SaveCells):
    """Notes in the gradebook a kernel that does not exist.

    nbgrader gives submissions the kernel that the gradebook names. So without our config (a formgrader that was
    started in another folder, say) nbgrader finds no kernel, and student code is not executed.
    """

    def preprocess(self, nb, resources):
        real = nb.metadata.get("kernelspec")
        nb.metadata["kernelspec"] = NotebookNode(
            name=NO_KERNEL, display_name="One Listener's grader", language="typescript"
        )
        nb, resources = super().preprocess(nb, resources)
        if real is None:
            del nb.metadata["kernelspec"]
        else:
            nb.metadata["kernelspec"] = real
        return nb, resources


class RestoreCells(NbGraderPreprocessor):
    """Makes each cell of a submission anew.

    Type and text come from the student, all that the points hang on from the gradebook.

    It stands for nbgrader's DeduplicateIds and OverwriteCells, which give up a submission for one broken cell. Of cells
    with the same id the last one counts; locked cells get their text back; grade cells that are missing are put back;
    outputs go. It comes first, because nbconvert gives up a notebook that is not valid after any preprocessor.
    """

    def preprocess(self, nb, resources):
        place = resources["nbgrader"]
        with Gradebook(place["db_url"]) as gradebook:
            known = self._known(gradebook.find_notebook(place["notebook"], place["assignment"]))
        nb.nbformat, nb.nbformat_minor = 4, 5
        # nbgrader adds the kernelspec of the assignment
        nb.metadata = NotebookNode(language_info={"name": "typescript"})
        found, cells = set(), []
        for old in reversed(nb.cells):
            grade_id = _grade_id(old)
            if grade_id in known and grade_id in found:
                self.log.warning("Cell '%s' is there more than once; the last one counts", grade_id)
            counts = grade_id in known and grade_id not in found
            cells.insert(0, self._made_anew(old, known[grade_id] if counts else None))
            if counts:
                found.add(grade_id)
        for grade_id, source in known.items():
            if grade_id not in found and (source.meta["grade"] or source.meta["task"]):
                self.log.warning("Cell '%s' is missing; it is put back", grade_id)
                self._put_back(cells, source)
        self._name(cells)
        nb.cells = cells
        return nb, resources

    @staticmethod
    def _known(notebook):
        """The assignment's own cells by id."""
        grades = {cell.name: cell.max_score for cell in notebook.grade_cells}
        tasks = {cell.name: cell.max_score for cell in notebook.task_cells}
        solutions = {cell.name for cell in notebook.solution_cells}
        known = {}
        for cell in notebook.source_cells:
            meta = {
                "schema_version": 3,
                "grade_id": cell.name,
                "cell_type": cell.cell_type,
                "grade": cell.name in grades,
                "solution": cell.name in solutions,
                "task": cell.name in tasks,
                "locked": bool(cell.locked),
            }
            if cell.checksum:
                meta["checksum"] = cell.checksum
            if meta["grade"] or meta["task"]:
                meta["points"] = grades.get(cell.name, tasks.get(cell.name))
            known[cell.name] = Source(cell.cell_type, cell.source or "", bool(cell.locked), meta)
        return known

    def _made_anew(self, old, source):
        text, kind = old.get("source"), old.get("cell_type")
        text = text if isinstance(text, str) else ""
        if source:
            if kind != source.cell_type:
                self.log.warning(
                    "Cell '%s' was a %s cell; it is %s again", source.meta["grade_id"], kind, source.cell_type
                )
                kind = source.cell_type
            if source.locked and text != source.text:
                self.log.warning("Cell '%s' was changed; it has its own text again", source.meta["grade_id"])
                text = source.text
        cell = {"code": new_code_cell, "markdown": new_markdown_cell}.get(kind, new_raw_cell)(text)
        cell["id"] = old.get("id")
        metadata = old.get("metadata") if isinstance(old.get("metadata"), dict) else {}
        # what our grader finds solutions by
        if isinstance(metadata.get("one_listener"), dict):
            cell.metadata["one_listener"] = metadata["one_listener"]
        if isinstance(metadata.get("tags"), list):
            cell.metadata["tags"] = sorted(
                {tag for tag in metadata["tags"] if isinstance(tag, str) and re.fullmatch(r"[^,]+", tag)}
            )
        if source:
            cell.metadata["nbgrader"] = NotebookNode(source.meta)
        if kind == "markdown" and isinstance(old.get("attachments"), dict):
            # pictures in an answer that is graded by hand
            cell["attachments"] = old["attachments"]
            trial = NotebookNode(cell, id="trial")
            if not isvalid(trial, ref="markdown_cell", version=4, version_minor=5):
                del cell["attachments"]
        return cell

    @staticmethod
    def _put_back(cells, source):
        grade_id = source.meta["grade_id"]
        notice = "This cell was missing from what was handed in; it was put back."
        if source.cell_type == "code":
            cell = new_code_cell(f"// {notice}\n{source.text}")
        else:
            cell = new_markdown_cell(f"{notice}\n\n{source.text}")
        cell["id"] = grade_id
        cell.metadata["nbgrader"] = NotebookNode(source.meta)
        after = [
            at
            for at, each in enumerate(cells)
            if grade_id.endswith(CHECK) and _grade_id(each) == grade_id[: -len(CHECK)]
        ]
        cells.insert(after[-1] + 1 if after else len(cells), cell)

    @staticmethod
    def _name(cells):
        """Valid ids, each once, the same from run to run."""
        taken = set()
        for number, cell in enumerate(cells):
            name = cell["id"]
            if not (isinstance(name, str) and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)) or name in taken:
                name = f"cell-{number}"
                while name in taken:
                    name += "-"
            cell["id"] = name
            taken.add(name)


class Source(NamedTuple):
    """A cell as the gradebook has it."""

    cell_type: str
    text: str
    locked: bool
    meta: dict


def _grade_id(cell):
    metadata = cell.get("metadata")
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = mark.get("grade_id") if isinstance(mark, dict) else None
    return grade_id if isinstance(grade_id, str) else None


class GraderError(Exception):
    """The grader could not do its work; its message is the reason."""


class GradeInSandbox(NbGraderPreprocessor):
    """Stands for nbgrader's Execute. Nothing is executed here.

    Our grader does it, in processes of its own, each in a sandbox.

    Afterwards every automatically graded cell has an output that decides on its points, since nbgrader gives full
    points to one without.
    """

    command = List(
        Unicode(), help="how our grader is started; the environment variable ONE_LISTENER_COMMAND goes before it"
    ).tag(config=True)
    timeout = Integer(300, help="seconds for each exercise of a submission, after which the grader is ended").tag(
        config=True
    )
    zero_on_failure = Bool(
        True,
        help="Where the grader itself fails: True gives 0 points and the reason; "
        "False leaves the submission ungraded, and nbgrader reports it",
    ).tag(config=True)

    def preprocess(self, nb, resources):
        cells = [
            cell
            for cell in nb.cells
            if cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell)
        ]
        checks = {}
        for cell in cells:
            grade_id = cell.metadata.nbgrader["grade_id"]
            name = grade_id[: -len(CHECK)] if grade_id.endswith(CHECK) else ""
            # the text is the gradebook's: check cells are locked
            if name and re.search(rf"""\bcheck\(\s*["']{re.escape(name)}["']""", cell.source):
                checks[name] = cell
            else:
                self._fail(
                    cell, f"'{grade_id}' is no check of an exercise, and nothing else is executed. Grade it by hand."
                )
        if not checks:
            return nb, resources
        try:
            graded, notes = self._grade(nb, list(checks), resources.get("nbgrader", {}).get("notebook") or "submission")
        except GraderError as failure:
            self.log.error("The grader failed: %s", failure)
            if not self.zero_on_failure:
                raise
            for cell in checks.values():
                self._fail(cell, f"The grader failed, which is not your doing: {failure}")
            return nb, resources
        for count, (name, cell) in enumerate(checks.items(), 1):
            try:
                self._write(cell, graded.get(name), notes, count)
            except GraderError as failure:
                self.log.error("The grader failed for %s: %s", name, failure)
                if not self.zero_on_failure:
                    raise
                self._fail(cell, f"The grader failed, which is not your doing: {failure}")
        return nb, resources

    def _grade(self, nb, names, title):
        """Results by name of the exercise, and the grader's notes about the whole."""
        with tempfile.TemporaryDirectory(prefix="one-listener-") as folder:
            submission = os.path.join(folder, f"{title}.ipynb")
            with open(submission, "w", encoding="utf-8") as file:
                json.dump(nb, file)
            said, complained, status = self._run(
                [
                    "grade",
                    submission,
                    "--exercises",
                    ",".join(names),
                    "--out",
                    os.path.join(folder, "graded"),
                    "--json",
                ],
                folder,
                self.timeout * len(names),
            )
        try:
            students = json.loads(said)
            graded = {each["exercise"]: each for each in students[0]["exercises"]}
            return graded, [str(note) for note in students[0]["notes"]]
        except (ValueError, LookupError, TypeError):
            reason = _plain(complained).strip().split("\n")[-8:]
            raise GraderError("\n".join(reason) or f"it ended with status {status} and said nothing") from None

    def _run(self, arguments, folder, timeout):
        command = shlex.split(os.environ.get(COMMAND_VARIABLE, "")) or list(self.command)
        if not command:
            raise GraderError("GradeInSandbox.command is not set in nbgrader_config.py")
        # files, not pipes: a process left over could hold a pipe open
        with (
            open(os.path.join(folder, "stdout"), "w+b") as said,
            open(os.path.join(folder, "stderr"), "w+b") as complained,
        ):
            try:
                grader = subprocess.Popen(
                    command + arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=complained,
                    start_new_session=True,
                )
            except OSError as error:
                raise GraderError(f"{command[0]} cannot be started: {error}") from None
            try:
                status = grader.wait(timeout)
            except subprocess.TimeoutExpired:
                raise GraderError(f"it had not ended after {timeout} s") from None
            finally:
                if grader.poll() is None:
                    os.killpg(grader.pid, signal.SIGKILL)
                    grader.wait()
            said.seek(0)
            complained.seek(0)
            return said.read().decode("utf-8", "replace"), complained.read().decode("utf-8", "replace"), status

    def _write(self, cell, result, notes, count):
        """The outputs of a check cell: the story as text, and the points as the result of the cell."""
        if result is None:
            raise GraderError("it gave no result for this exercise")
        if result.get("fate") == "stopped" and not result.get("tests"):
            raise GraderError(_plain(result.get("message") or "the check was not carried out"))
        points, most, worth = result.get("points"), result.get("max"), float(cell.metadata.nbgrader["points"])
        if not (_is_number(points) and _is_number(most) and most > 0 and 0 <= points <= most):
            raise GraderError(f"it gave {points!r} of {most!r} points")
        # the instructor may have changed what the cell is worth
        score = worth if points == most else worth * points / most
        story = _story(result, notes if count == 1 else [])
        cell.execution_count = count
        cell.outputs = [
            new_output("stream", name="stdout", text=story),
            new_output("execute_result", data={"text/plain": f"{score:g}"}, execution_count=count),
        ]

    @staticmethod
    def _fail(cell, reason):
        cell.execution_count = None
        cell.outputs = [new_output("error", ename="NotGraded", evalue=reason, traceback=reason.split("\n"))]


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _plain(text):
    """Without colours and control characters: some of it is the student's."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(text))
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text)


def _story(result, notes):
    """What the grader tells of an exercise, and what it noted about the submission."""
    lines = [_plain(result.get("text", ""))]
    for note in notes:
        lines.append(f"Note: {_plain(note)}")
    return "\n".join(lines) + "\n"
