"""nbgrader with One Listener's exercises: starters in the place of solutions, and student code that runs in our grader's sandbox only.

nbgrader would execute a submission as the user who owns the gradebook. Here it executes nothing: the notebook goes to our grader as a
file, what comes back is the points and the story of each test, and these become the outputs of the check cells, where nbgrader looks.

Written by `npx one-listener exercise release`, and written anew by the next one: change nbgrader_config.py instead. Python 3.9 or later.
"""
import json
import os
import re
import shlex
import signal
import subprocess
import tempfile

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import ClearSolutions, DeduplicateIds, Execute, NbGraderPreprocessor, OverwriteCells
from traitlets import Bool, Integer, List, Unicode

CHECK = "-check"
COMMAND_VARIABLE = "ONE_LISTENER_COMMAND"


def configure(c, command):
    """Puts our preprocessors into the places of nbgrader's own. `command`: how our grader is started, a list of words."""
    def with_ours(converter, trait, ours):
        stock = converter.class_traits()[trait].make_dynamic_default()
        return [ours.get(each, each) for each in stock if ours.get(each, each) is not None]

    c.GenerateAssignment.preprocessors = with_ours(GenerateAssignment, "preprocessors", {ClearSolutions: StarterForSolution})
    c.Autograde.sanitize_preprocessors = with_ours(Autograde, "sanitize_preprocessors", {DeduplicateIds: RestoreCells, OverwriteCells: None})
    c.Autograde.autograde_preprocessors = with_ours(Autograde, "autograde_preprocessors", {Execute: GradeInSandbox})
    c.ClearSolutions.code_stub = {"typescript": "// YOUR CODE HERE", "python": "# YOUR CODE HERE\nraise NotImplementedError()"}
    # The release folder is there before nbgrader's first run, which would otherwise skip the assignment, and its gradebook with it.
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


class RestoreCells(NbGraderPreprocessor):
    """Gives the cells of a submission the metadata that the gradebook has of them, whatever the student's notebook says.

    It stands for nbgrader's DeduplicateIds and OverwriteCells, which give up a submission for one broken cell. Of cells with the same id
    the last one counts; locked cells get their text back; grade cells that are missing are put back.
    """

    def preprocess(self, nb, resources):
        place = resources["nbgrader"]
        with Gradebook(place["db_url"]) as gradebook:
            known = self._known(gradebook.find_notebook(place["notebook"], place["assignment"]))
        found = set()
        for cell in reversed(nb.cells):
            if not isinstance(cell.get("metadata"), dict):
                cell.metadata = NotebookNode()
            if not isinstance(cell.get("source"), str):
                cell.source = ""
            mark = cell.metadata.pop("nbgrader", None)
            grade_id = mark.get("grade_id") if isinstance(mark, dict) else None
            if not isinstance(grade_id, str) or grade_id not in known:
                continue
            if grade_id in found:
                self.log.warning("Cell '%s' is there more than once; the last one counts", grade_id)
                continue
            found.add(grade_id)
            self._restore(cell, known[grade_id])
        for grade_id, (source, meta) in known.items():
            if grade_id not in found and (meta["grade"] or meta["task"]):
                self.log.warning("Cell '%s' is missing; it is put back", grade_id)
                self._put_back(nb, source, meta)
        return nb, resources

    @staticmethod
    def _known(notebook):
        """(source cell, nbgrader metadata) by id, in the order of the assignment's notebook where the database keeps it."""
        grade = {cell.name: cell.max_score for cell in notebook.grade_cells}
        task = {cell.name: cell.max_score for cell in notebook.task_cells}
        solution = {cell.name for cell in notebook.solution_cells}
        known = {}
        for cell in notebook.source_cells:
            meta = {
                "schema_version": 3, "grade_id": cell.name, "cell_type": cell.cell_type, "grade": cell.name in grade,
                "solution": cell.name in solution, "task": cell.name in task, "locked": bool(cell.locked),
            }
            if cell.checksum:
                meta["checksum"] = cell.checksum
            if meta["grade"] or meta["task"]:
                meta["points"] = grade.get(cell.name, task.get(cell.name))
            source = {"cell_type": cell.cell_type, "text": cell.source or "", "locked": bool(cell.locked)}
            known[cell.name] = (source, meta)
        return known

    def _restore(self, cell, known):
        source, meta = known
        if cell.cell_type != source["cell_type"]:
            self.log.warning("Cell '%s' was a %s cell; it is %s again", meta["grade_id"], cell.cell_type, source["cell_type"])
            cell.cell_type = source["cell_type"]
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
            cell.pop("attachments", None)
        else:
            cell.pop("outputs", None)
            cell.pop("execution_count", None)
        if source["locked"] and cell.source != source["text"]:
            self.log.warning("Cell '%s' was changed; it has its own text again", meta["grade_id"])
            cell.source = source["text"]
        cell.metadata["nbgrader"] = NotebookNode(meta)

    @staticmethod
    def _put_back(nb, source, meta):
        grade_id = meta["grade_id"]
        notice = "This cell was missing from what was handed in; it was put back."
        if source["cell_type"] == "code":
            cell = new_code_cell("// %s\n%s" % (notice, source["text"]))
        else:
            cell = new_markdown_cell("%s\n\n%s" % (notice, source["text"]))
        cell.metadata["nbgrader"] = NotebookNode(meta)
        # ids came with 4.5; they stay the same from run to run
        if nb.get("nbformat_minor", 0) < 5:
            cell.pop("id", None)
        elif re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", grade_id) and all(each.get("id") != grade_id for each in nb.cells):
            cell["id"] = grade_id
        solution_id = grade_id[: -len(CHECK)] if grade_id.endswith(CHECK) else None
        at = [number for number, each in enumerate(nb.cells) if solution_id and each.metadata.get("nbgrader", {}).get("grade_id") == solution_id]
        nb.cells.insert(at[-1] + 1 if at else len(nb.cells), cell)


class GraderFailed(Exception):
    """The grader could not do its work; its message is the reason."""


class GradeInSandbox(NbGraderPreprocessor):
    """Stands for nbgrader's Execute. Nothing is executed here: our grader does it, in processes of its own, each in a sandbox.

    Afterwards every automatically graded cell has an output that decides on its points, since nbgrader gives full points to one without.
    """

    command = List(Unicode(), help="how our grader is started; the environment variable ONE_LISTENER_COMMAND goes before it").tag(config=True)
    timeout = Integer(300, help="seconds for each exercise of a submission, after which the grader is ended").tag(config=True)
    zero_on_failure = Bool(
        True,
        help="Where the grader itself fails: True gives 0 points and the reason; False leaves the submission ungraded, and nbgrader reports it",
    ).tag(config=True)

    def preprocess(self, nb, resources):
        cells = [cell for cell in nb.cells if cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell)]
        checks = {}
        for cell in cells:
            grade_id = cell.metadata.nbgrader["grade_id"]
            if grade_id.endswith(CHECK):
                checks[grade_id[: -len(CHECK)]] = cell
            else:
                self._fail(cell, "'%s' is no check of an exercise, and nothing else is executed. Grade it by hand." % grade_id)
        if not checks:
            return nb, resources
        try:
            graded, notes = self._grade(nb, list(checks), resources.get("nbgrader", {}).get("notebook") or "submission")
        except GraderFailed as failure:
            self.log.error("The grader failed: %s", failure)
            if not self.zero_on_failure:
                raise
            for cell in checks.values():
                self._fail(cell, "The grader failed, which is not your doing: %s" % failure)
            return nb, resources
        for count, (name, cell) in enumerate(checks.items(), 1):
            try:
                self._write(cell, graded.get(name), notes, count)
            except GraderFailed as failure:
                self.log.error("The grader failed for %s: %s", name, failure)
                if not self.zero_on_failure:
                    raise
                self._fail(cell, "The grader failed, which is not your doing: %s" % failure)
        return nb, resources

    def _grade(self, nb, names, title):
        """Results by name of the exercise, and the grader's notes about the whole."""
        with tempfile.TemporaryDirectory(prefix="one-listener-") as folder:
            submission = os.path.join(folder, "%s.ipynb" % title)
            with open(submission, "w", encoding="utf-8") as file:
                json.dump(nb, file)
            said, complained, status = self._run(
                ["grade", submission, "--exercises", ",".join(names), "--out", os.path.join(folder, "graded"), "--json"], folder, self.timeout * len(names))
        try:
            students = json.loads(said)
            graded = {each["exercise"]: each for each in students[0]["exercises"]}
            return graded, [str(note) for note in students[0]["notes"]]
        except (ValueError, LookupError, TypeError):
            reason = _plain(complained).strip().split("\n")[-8:]
            raise GraderFailed("\n".join(reason) or "it ended with status %s and said nothing" % status) from None

    def _run(self, arguments, folder, timeout):
        command = shlex.split(os.environ.get(COMMAND_VARIABLE, "")) or list(self.command)
        if not command:
            raise GraderFailed("GradeInSandbox.command is not set in nbgrader_config.py")
        # files, not pipes: a process left over could hold a pipe open
        with open(os.path.join(folder, "stdout"), "w+b") as said, open(os.path.join(folder, "stderr"), "w+b") as complained:
            try:
                grader = subprocess.Popen(command + arguments, stdin=subprocess.DEVNULL, stdout=said, stderr=complained, start_new_session=True)
            except OSError as error:
                raise GraderFailed("%s cannot be started: %s" % (command[0], error)) from None
            try:
                status = grader.wait(timeout)
            except subprocess.TimeoutExpired:
                raise GraderFailed("it had not ended after %s s" % timeout) from None
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
            raise GraderFailed("it gave no result for this exercise")
        if result.get("fate") == "stopped" and not result.get("tests"):
            raise GraderFailed(_plain(result.get("message") or "the check was not carried out"))
        points, most, worth = result.get("points"), result.get("max"), float(cell.metadata.nbgrader["points"])
        if not (_is_number(points) and _is_number(most) and most > 0 and 0 <= points <= most):
            raise GraderFailed("it gave %r of %r points" % (points, most))
        # the instructor may have changed what the cell is worth
        score = worth if points == most else worth * points / most
        story = _story(result, notes if count == 1 else [])
        cell.execution_count = count
        cell.outputs = [
            new_output("stream", name="stdout", text=story),
            new_output("execute_result", data={"text/plain": "%g" % score}, execution_count=count),
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


def _indented(text, margin):
    return "\n".join(margin + line for line in _plain(text).split("\n"))


def _story(result, notes):
    lines = ["%s: %g of %g points" % (_plain(result.get("title", "")), result["points"], result["max"])]
    for test in result.get("tests", []):
        lines.append("%s %s (%g of %g)" % ("✓" if test.get("passed") else "✗", _plain(test.get("title", "")), test.get("points", 0), test.get("max", 0)))
        story = test.get("story") or {}
        for word, key in (("What was done", "did"), ("Expected", "expected"), ("Measured", "measured"), ("Read on", "read")):
            if story.get(key):
                lines.append(_indented("%s: %s" % (word, story[key]), "    "))
    if result.get("message"):
        lines.append(_plain(result["message"]))
    for note in notes:
        lines.append("Note: %s" % _plain(note))
    if result.get("output"):
        lines.append("Your function printed:")
        lines.append(_indented(result["output"][:2000], "  | "))
    return "\n".join(lines) + "\n"
