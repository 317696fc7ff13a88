/** As many sockets as the tiles need. */

import type { ServerClock } from "../api/clock.ts";
import { LATE_MS } from "./line.ts";
import { LiveSocket, type SocketOptions, type TileLink, type TileRequest, type TileSink } from "./socket.ts";

/** A page that turns keeps its connection. */
const IDLE_MS = 10_000;

export class LivePool {
  #sockets: LiveSocket[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly options: SocketOptions) {}

  open(request: TileRequest, sink: TileSink): TileLink {
    let socket = this.#sockets.find((socket) => !socket.isFull);
    if (!socket) {
      socket = new LiveSocket(this.options);
      this.#sockets.push(socket);
    }
    return socket.open(request, sink);
  }

  /** The server's clock, of the socket with the shortest way; null before the first answer to a ping. */
  get clock(): ServerClock | null {
    const clocks = this.#sockets.map(({ clock }) => clock).filter(({ isKnown }) => isKnown);
    return clocks.reduce<ServerClock | null>((best, clock) => (best && best.errorMs <= clock.errorMs ? best : clock), null);
  }

  get mayBeUnattended(): boolean {
    return this.#sockets.some((socket) => socket.mayBeUnattended);
  }

  /** Of the socket that is latest. */
  get lagMs(): number {
    return Math.max(0, ...this.#sockets.map(({ lagMs }) => lagMs));
  }

  /** Nothing that was asked for is still on the way: what did not come is missing. */
  get isPrompt(): boolean {
    return this.#sockets.every(({ freshLagMs }) => freshLagMs !== null && freshLagMs < LATE_MS);
  }

  get sockets(): readonly LiveSocket[] {
    return this.#sockets;
  }

  wake(): void {
    for (const socket of this.#sockets) socket.wake();
  }

  /** To be called when tiles were closed: sockets without any are given up after a while. */
  tidy(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      for (const socket of this.#sockets) if (socket.tileCount === 0) socket.close();
      this.#sockets = this.#sockets.filter(({ state }) => state.is !== "closed");
    }, IDLE_MS);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const socket of this.#sockets) socket.close();
    this.#sockets = [];
  }
}
