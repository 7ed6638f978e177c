"""Drives a Jupyter kernel for the tests of src/kernel: commands come in as JSON lines, messages go out as JSON lines.

usage: drive.py DIRECTORY COMMAND...   ({connection_file} in COMMAND is replaced)

commands
  {"op": "execute", "id": ID, "code": CODE, "stop_on_error": true, "cell": CELL_ID}
  {"op": "request", "id": ID, "type": "history_request", "content": {...}, "channel": "shell" | "control"}
  {"op": "interrupt"}                 as a Jupyter server does it: SIGINT to the kernel's process group
  {"op": "shutdown", "restart": false}  asks the kernel to end
messages
  {"from": "iopub" | "shell" | "control", "id": ID, "type": MSG_TYPE, "content": {...}, "at": seconds}
  {"from": "drive", "type": "started" | "ended", ...}
"""

import asyncio
import json
import os
import sys
import time
from typing import ClassVar

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager


class Manager(AsyncKernelManager):
    """A kernel given by its command instead of by the name of a registered kernelspec."""

    command: ClassVar[list] = []

    @property
    def kernel_spec(self):
        return KernelSpec(argv=self.command, display_name="driven", language="typescript", interrupt_mode="signal")


def say(**message):
    sys.stdout.write(json.dumps(message, default=str) + "\n")
    sys.stdout.flush()


async def main() -> None:
    directory, *Manager.command = sys.argv[1:]
    manager = Manager(client_class="jupyter_client.asynchronous.AsyncKernelClient")
    began = time.monotonic()
    # not our stdout: Node would make that pipe non-blocking for us too
    await manager.start_kernel(cwd=directory, stdout=asyncio.subprocess.DEVNULL, stderr=sys.stderr)
    client: AsyncKernelClient = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)
    ids: dict[str, str] = {}

    async def relay(name, receive):
        while True:
            message = await receive()
            parent = message["parent_header"].get("msg_id", "")
            say(
                **{"from": name},
                id=ids.get(parent, ""),
                type=message["header"]["msg_type"],
                content=message["content"],
                at=round(time.monotonic() - began, 4),
            )

    async def watch():
        while await manager.is_alive():
            await asyncio.sleep(0.02)
        say(**{"from": "drive"}, type="ended", at=round(time.monotonic() - began, 4))

    tasks = [
        asyncio.ensure_future(relay("iopub", client.get_iopub_msg)),
        asyncio.ensure_future(relay("shell", client.get_shell_msg)),
        asyncio.ensure_future(relay("control", client.get_control_msg)),
        asyncio.ensure_future(watch()),
    ]
    say(**{"from": "drive"}, type="started", pid=manager.provisioner.pid, seconds=round(time.monotonic() - began, 3))

    reader = asyncio.StreamReader()
    await asyncio.get_event_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        if command["op"] == "interrupt":
            await manager.interrupt_kernel()
        elif command["op"] == "shutdown":
            message = client.session.msg("shutdown_request", {"restart": command.get("restart", False)})
            client.control_channel.send(message)
        else:
            if command["op"] == "execute":
                type_, content = (
                    "execute_request",
                    {
                        "code": command["code"],
                        "silent": False,
                        "store_history": True,
                        "user_expressions": {},
                        "allow_stdin": False,
                        "stop_on_error": command.get("stop_on_error", True),
                    },
                )
            else:
                type_, content = command["type"], command["content"]
            message = client.session.msg(type_, content)
            if "cell" in command:
                message["metadata"] = {"cellId": command["cell"]}
            ids[message["header"]["msg_id"]] = command["id"]
            channel = client.control_channel if command.get("channel") == "control" else client.shell_channel
            channel.send(message)

    for task in tasks:
        task.cancel()
    client.stop_channels()
    if await manager.is_alive():
        await manager.shutdown_kernel(now=True)


os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
asyncio.run(main())
