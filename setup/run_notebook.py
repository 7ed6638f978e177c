"""Executes one notebook on its kernel and reports, from the replies' own status, what became of each cell.

usage: run_notebook.py NOTEBOOK EXECUTED REPORT TIMEOUT
"""

import json
import os
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError


def main(source, executed, report, timeout):
    notebook = nbformat.read(source, as_version=4)
    # allow_errors: the replies are looked at here, so that an aborted or silent failure cannot pass
    # (nbclient looks at error outputs)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="tslab",
        allow_errors=True,
        resources={"metadata": {"path": os.path.dirname(source)}},
    )
    times, replies, failure = [], [], None
    client.on_cell_executed = lambda execute_reply, **_: replies.append(execute_reply)
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            replies.clear()
            started = time.monotonic()
            error = None
            try:
                client.execute_cell(cell, number)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
                error = str(problem)
            times.append((time.monotonic() - started, number))
            status = replies[-1]["content"]["status"] if replies else "no reply"
            if error is None and status != "ok":
                texts = [
                    "".join(o.get("text", "") or "\n".join(o.get("traceback", [])))
                    for o in cell.outputs
                    if o.output_type == "error" or o.get("name") == "stderr"
                ]
                error = f"status {status}\n" + "\n".join(texts)
            if error is None and any(o.output_type == "stream" and o.name == "stderr" for o in cell.outputs):
                error = "the cell wrote to stderr:\n" + "".join(
                    o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stderr"
                )
            if error is not None:
                failure = {"cell": number, "source": cell.source, "error": error}
                break
    nbformat.write(notebook, executed)
    slowest = max(times, default=(0.0, 0))
    with open(report, "w") as file:
        json.dump(
            {
                "name": os.path.basename(source),
                "cells": len(times),
                "total": sum(t for t, _ in times),
                "slowest": {"seconds": slowest[0], "cell": slowest[1]},
                "failure": failure,
            },
            file,
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))
