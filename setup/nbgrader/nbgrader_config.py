# Written by `npx one-listener exercise release`. Add what your course needs at the end; the next release changes
# the line with `command` alone. It says how our grader is started; the environment variable ONE_LISTENER_COMMAND
# goes before it.
import os
import sys

command = ["node", "dist/cli/main.js"]
c = get_config()
try:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import one_listener_nbgrader

    one_listener_nbgrader.configure(c, command)
except Exception as error:
    # nbgrader goes on after an error in its config, and would run student code beside the gradebook
    sys.exit(f"one_listener_nbgrader cannot be used, so nbgrader does not start: {error!r}")
