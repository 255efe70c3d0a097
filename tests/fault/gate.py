"""A gate on the wire: stands between a client and a server, and does to the server's replies what networks do.

Modes: open; down (refuses, and ends what is there), latency (1 s for every piece of a reply), timeout (swallows everything), reset (a reset in the
middle of a reply), cut (ends after 150 bytes of reply), slicer (pieces of at most 7 bytes), corrupt (a byte in the first five of every piece of a
reply is another: lengths, types, status lines. What is garbled inside a value no protocol without a checksum can notice: that is TLS' work),
rubbish (no byte of a reply is as it was sent; not among FAULTS: nothing more to learn from it in flight).
A change of mode concerns the connections that are open as well.
"""
import asyncio
import random
import socket
import struct
import threading

FAULTS = ["down", "latency", "timeout", "reset", "cut", "slicer", "corrupt"]
LATENCY_S, CUT_AFTER, RESET_AFTER = 1.0, 150, 20


class Gate:
    def __init__(self, port, target_port, loop):
        self.port, self.target_port, self.loop = port, target_port, loop
        self.mode, self.connections, self.server = "open", set(), None
        self.random = random.Random(port)
        self._run(self._listen())

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def set(self, mode):
        self._run(self._set(mode))

    def close(self):
        self._run(self._set("down"))

    async def _listen(self):
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=2**16, reuse_address=True)

    async def _set(self, mode):
        self.mode = mode
        if mode == "down":
            if self.server:
                self.server.close()
                self.server = None
            for writer in list(self.connections):
                writer.transport.abort()
        elif self.server is None:
            await self._listen()
        if mode == "open":  # what was half broken is of no use to anybody
            for writer in list(self.connections):
                if getattr(writer, "spoiled", False):
                    writer.transport.abort()

    async def _accept(self, reader, writer):
        self.connections.add(writer)
        far = None
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.target_port)
            self.connections.add(far)
            await asyncio.gather(self._forward(reader, far), self._reply(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for end in (writer, far):
                if end:
                    self.connections.discard(end)
                    end.transport.abort()

    async def _forward(self, reader, writer):
        while data := await reader.read(2**16):
            if self.mode == "timeout":
                writer.spoiled = True
                continue
            writer.write(data)
            await writer.drain()
        writer.transport.abort()

    async def _reply(self, reader, writer):
        sent = 0  # in the present fault
        seen = self.mode
        while data := await reader.read(2**16):
            mode = self.mode
            if mode != seen:
                sent, seen = 0, mode
            if mode == "timeout":
                writer.spoiled = True
                continue
            if mode == "latency":
                await asyncio.sleep(LATENCY_S)
            if mode in ("reset", "cut"):
                limit = RESET_AFTER if mode == "reset" else CUT_AFTER
                writer.write(data[:max(0, limit - sent)])
                sent += len(data)
                if sent > limit:
                    await writer.drain()
                    if mode == "reset":
                        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        writer.transport.abort()
                    else:
                        writer.close()
                    return
                continue
            if mode == "corrupt":
                writer.spoiled = True
                data = bytearray(data)
                data[self.random.randrange(min(5, len(data)))] ^= self.random.randrange(1, 256)
                data = bytes(data)
            if mode == "rubbish":
                writer.spoiled = True
                data = self.random.randbytes(len(data))
            if mode == "slicer":
                for at in range(0, min(len(data), 1400), 7):
                    writer.write(data[at:at + 7])
                    await writer.drain()
                    await asyncio.sleep(0)
                data = data[1400:]
            writer.write(data)
            await writer.drain()
        writer.close()


class Gates:
    """Runs gates in a thread of its own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.gates = []

    def open(self, port, target_port):
        self.gates.append(Gate(port, target_port, self.loop))
        return self.gates[-1]

    def close(self):
        for gate in self.gates:
            gate.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
