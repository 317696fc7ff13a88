/** One WebSocket for many tiles: opens them again after each loss of the connection, and measures the server's clock. */

import { ServerClock } from "../api/clock.ts";
import { Backoff } from "./backoff.ts";
import {
  type Chunk, type PageMessage, type ServerMessage, type Tier,
  HEADER_BYTES, ProtocolError, TILES_MAX, WINDOW_BYTES, decodeChunk, decodeMessage, encodeMessage,
} from "./protocol.ts";

export const PING_MS = 5000;
/** Two pings without any answer: the connection is dead, whatever TCP thinks. */
const SILENCE_MS = 12_000;
const LAG_FRESH_MS = 1000;
/** Tiles take turns on a slow line: one that had none in a while is still waiting, however quick a ping is. */
const TURNS_MS = 15_000;
const CONNECT_MS = 10_000;
/** A connection that lived so long was a good one: the next failure waits 1 s again. */
const GOOD_MS = 10_000;
/** Credit is given back in such pieces, not for each frame. */
const CREDIT_STEP = WINDOW_BYTES / 4;
/** But what is less does not wait longer: a large frame may need it. */
const CREDIT_MS = 1000;
const TILE_NUMBERS = 0x1_0000;

export interface TileRequest {
  stream: string;
  tier: Tier;
  /** CSS pixels times the device's ratio: more is of no use. */
  max: [number, number];
  /** `live`, or ISO 8601 with zone. */
  from: string;
}

type About<K extends ServerMessage["is"]> = Extract<ServerMessage, { is: K }>;

/** What a tile hears. */
export interface TileSink {
  onInit: (message: About<"init-follows">) => void;
  /** `done` gives the bytes back as credit: to be called once, when they are not held any more. */
  onChunk: (chunk: Chunk, done: () => void) => void;
  onSound: (message: About<"sound">) => void;
  onGap: (message: About<"gap">) => void;
  /** Nothing comes any more until `reopen`. */
  onEnd: (is: "end" | "denied" | "error", name: string, text: string) => void;
  /** The connection is lost, or back: then everything begins anew with an init. */
  onLink: (isUp: boolean) => void;
}

export type SocketState =
  | { is: "connecting" }
  | { is: "open" }
  /** `reason`: what the server gave when it closed, or what went wrong. */
  | { is: "waiting"; retryAt: number; reason: string }
  | { is: "closed" };

export interface SocketOptions {
  /** A presigned address of OpenLive, made anew for each connection: it lives 30 s. */
  url: () => Promise<string>;
  /** Milliseconds since 1970, by a clock that is not set in between: `timeOrigin + performance.now()`. */
  now: () => number;
  onState?: (state: SocketState) => void;
  createSocket?: (url: string) => WebSocket;
}

export class LiveSocket {
  readonly clock: ServerClock;
  #options: SocketOptions;
  #socket: WebSocket | null = null;
  #isUp = false;
  #tiles = new Map<number, Tile>();
  #nextNumber = 1;
  #backoff = new Backoff();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #pings: ReturnType<typeof setInterval> | null = null;
  #credits: ReturnType<typeof setTimeout> | null = null;
  #lastHeard = 0;
  /** When the pings were sent that have no answer yet, oldest first. */
  #pinged: number[] = [];
  #lag = { ms: 0, at: -Infinity };
  #mayBeUnattended = false;
  /** The longest that a tile waited lately. */
  #waited = { ms: 0, at: -Infinity };
  #openedAt = 0;
  #state: SocketState = { is: "connecting" };
  /** Tells answers of an attempt that is over. */
  #attempt = 0;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.clock = new ServerClock(options.now);
    void this.#connect();
  }

  get state(): SocketState {
    return this.#state;
  }

  /** What the server said last: a lost connection takes no leave back. */
  get mayBeUnattended(): boolean {
    return this.#mayBeUnattended;
  }

  get tileCount(): number {
    return this.#tiles.size;
  }

  /**
   * How late the line is: how long the last ping took, or the next has been waited for, behind the media on the way;
   * or how long a tile waited at the server to send, if that is more.
   */
  get lagMs(): number {
    const [oldest] = this.#pinged;
    return Math.max(this.#lag.ms, oldest === undefined ? 0 : this.#options.now() - oldest);
  }

  /** As `lagMs` is now, and tiles waited lately: asks when that was not known within a second, and says null until it is. */
  get freshLagMs(): number | null {
    const now = this.#options.now();
    if (now - this.#waited.at <= TURNS_MS && this.#waited.ms >= LAG_FRESH_MS) return this.#waited.ms;
    if (this.#pinged.length > 0) return this.lagMs >= LAG_FRESH_MS ? this.lagMs : null;
    if (now - this.#lag.at <= LAG_FRESH_MS) return this.#lag.ms;
    if (this.#isUp) this.#ping();
    return null;
  }

  get isFull(): boolean {
    return this.#tiles.size >= TILES_MAX;
  }

  /** Throws a RangeError when the socket has all its tiles. */
  open(request: TileRequest, sink: TileSink): TileLink {
    if (this.isFull) throw new RangeError(`a socket has ${TILES_MAX} tiles`);
    const tile: Tile = { number: this.#number(), request: { ...request }, sink, credit: 0, epoch: 0, hasSound: false };
    this.#tiles.set(tile.number, tile);
    if (this.#isUp) this.#sendOpen(tile);
    return new TileLink({
      tier: (tier) => {
        tile.request.tier = tier;
        if (this.#isOpen(tile)) this.#send({ op: "tier", tile: tile.number, tier });
      },
      sound: (isOn) => {
        tile.hasSound = isOn;
        if (this.#isOpen(tile)) this.#send({ op: "sound", tile: tile.number, on: isOn });
      },
      reopen: (request) => {
        Object.assign(tile.request, request);
        if (this.#tiles.get(tile.number) !== tile) return;
        this.#leave(tile);
        tile.number = this.#number();
        this.#tiles.set(tile.number, tile);
        if (this.#isUp) this.#sendOpen(tile);
      },
      close: () => this.#leave(tile),
    });
  }

  /** The machine woke up or the network is back: do not wait for a time-out. */
  wake(): void {
    if (this.#state.is === "closed") return;
    if (this.#state.is === "waiting") void this.#connect();
    else if (this.#isUp && this.#options.now() - this.#lastHeard > PING_MS + 1000) {
      this.#lost("silent", true);
    } else if (this.#isUp) this.#ping();
  }

  close(): void {
    this.#attempt++;
    this.#stopTimers();
    this.#isUp = false;
    this.#tiles.clear();
    this.#release();
    this.#setState({ is: "closed" });
  }

  async #connect(): Promise<void> {
    const attempt = ++this.#attempt;
    this.#stopTimers();
    this.#setState({ is: "connecting" });
    this.#timer = setTimeout(() => this.#lost("no answer"), CONNECT_MS);
    let url: string;
    try {
      url = await this.#options.url();
    } catch (error) {
      if (attempt === this.#attempt) this.#lost(error instanceof Error ? error.message : String(error));
      return;
    }
    if (attempt !== this.#attempt) return;
    let socket: WebSocket;
    try {
      socket = (this.#options.createSocket ?? ((url) => new WebSocket(url)))(url);
    } catch (error) {
      return this.#lost(error instanceof Error ? error.message : String(error));
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#heard(data);
    socket.onclose = ({ code, reason }) => this.#lost(reason || `closed with ${code}`);
  }

  #opened(): void {
    const now = this.#options.now();
    this.#stopTimers();
    this.#isUp = true;
    this.#openedAt = now;
    this.#lastHeard = now;
    this.#setState({ is: "open" });
    this.#ping();
    this.#pings = setInterval(() => {
      if (this.#options.now() - this.#lastHeard > SILENCE_MS) this.#lost("silent");
      else this.#ping();
    }, PING_MS);
    for (const tile of [...this.#tiles.values()]) {
      tile.sink.onLink(true);
      if (this.#tiles.get(tile.number) === tile) this.#sendOpen(tile);
    }
  }

  #heard(data: unknown): void {
    this.#lastHeard = this.#options.now();
    try {
      if (typeof data === "string") this.#heardText(data);
      else if (data instanceof ArrayBuffer) this.#heardChunk(data);
      else throw new ProtocolError("neither text nor bytes");
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#lost(error.message);
    }
  }

  #heardText(text: string): void {
    const message = decodeMessage(text);
    if (!message) return;
    const now = this.#options.now();
    if (message.is === "pong") return this.#heardPong(message, now);
    if (message.is === "hello") return void (this.#mayBeUnattended = message.isUnattended);
    // Of a tile that was closed in the meantime.
    const tile = this.#tiles.get(message.tile);
    if (!tile) return;
    if (message.is === "init-follows") tile.sink.onInit(message);
    else if (message.is === "sound") tile.sink.onSound(message);
    else if (message.is === "gap") tile.sink.onGap(message);
    else tile.sink.onEnd(message.is, message.name, message.text);
  }

  #heardPong({ at, server, waited }: About<"pong">, now: number): void {
    this.clock.add(at, server, now);
    // Some read and write numbers back with another last digit.
    this.#pinged = this.#pinged.filter((sentAt) => sentAt > at + 0.5);
    this.#lag = { ms: Math.max(now - at, waited), at: now };
    if (waited >= this.#waited.ms || now - this.#waited.at > TURNS_MS) this.#waited = { ms: waited, at: now };
  }

  #heardChunk(data: ArrayBuffer): void {
    const chunk = decodeChunk(data);
    const tile = this.#tiles.get(chunk.tile);
    if (!tile) return;
    const { epoch } = tile;
    let isDone = false;
    tile.sink.onChunk(chunk, () => {
      // Credit of an earlier connection or number is worth nothing.
      if (isDone || epoch !== tile.epoch || !this.#isOpen(tile)) return;
      isDone = true;
      tile.credit += HEADER_BYTES + chunk.bytes.length;
      if (tile.credit >= CREDIT_STEP) this.#giveBack(tile);
      else this.#credits ??= setTimeout(() => this.#giveBackAll(), CREDIT_MS);
    });
  }

  #giveBackAll(): void {
    this.#credits = null;
    for (const tile of this.#tiles.values()) if (tile.credit > 0) this.#giveBack(tile);
  }

  #giveBack(tile: Tile): void {
    this.#send({ op: "credit", tile: tile.number, bytes: tile.credit });
    tile.credit = 0;
  }

  #sendOpen(tile: Tile): void {
    // A tile begins with a whole window.
    tile.epoch++;
    tile.credit = 0;
    this.#send({ op: "open", tile: tile.number, ...tile.request });
    if (tile.hasSound) this.#send({ op: "sound", tile: tile.number, on: true });
  }

  #leave(tile: Tile): void {
    if (this.#tiles.get(tile.number) !== tile) return;
    this.#tiles.delete(tile.number);
    if (this.#isUp) this.#send({ op: "close", tile: tile.number });
  }

  #ping(): void {
    const at = this.#options.now();
    this.#pinged.push(at);
    this.#send({ op: "ping", at });
  }

  #send(message: PageMessage): void {
    // 1: open. It may be closing already, with the event to come.
    if (this.#socket?.readyState === 1) this.#socket.send(encodeMessage(message));
  }

  #lost(reason: string, isAtOnce = false): void {
    const { now } = this.#options;
    const wasUp = this.#isUp;
    this.#attempt++;
    this.#stopTimers();
    this.#isUp = false;
    this.#release();
    if (wasUp && now() - this.#openedAt >= GOOD_MS) this.#backoff.reset();
    const wait = isAtOnce ? 0 : this.#backoff.next();
    this.#setState({ is: "waiting", retryAt: now() + wait, reason });
    this.#timer = setTimeout(() => void this.#connect(), wait);
    if (!wasUp) return;
    for (const tile of [...this.#tiles.values()]) {
      tile.epoch++;
      tile.sink.onLink(false);
    }
  }

  #release(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#pinged = [];
    this.#lag = { ms: 0, at: -Infinity };
    this.#waited = { ms: 0, at: -Infinity };
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #stopTimers(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#pings !== null) clearInterval(this.#pings);
    if (this.#credits !== null) clearTimeout(this.#credits);
    this.#timer = null;
    this.#pings = null;
    this.#credits = null;
  }

  #isOpen(tile: Tile): boolean {
    return this.#isUp && this.#tiles.get(tile.number) === tile;
  }

  /** A number is used again as late as can be: what is on the way for the old tile must not reach the new one. */
  #number(): number {
    while (this.#tiles.has(this.#nextNumber)) this.#nextNumber = (this.#nextNumber + 1) % TILE_NUMBERS;
    const number = this.#nextNumber;
    this.#nextNumber = (number + 1) % TILE_NUMBERS;
    return number;
  }

  #setState(state: SocketState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }
}

interface Tile {
  number: number;
  request: TileRequest;
  sink: TileSink;
  /** To be given back. */
  credit: number;
  /** Rises with each opening. */
  epoch: number;
  hasSound: boolean;
}

interface TileCalls {
  tier: (tier: Tier) => void;
  sound: (isOn: boolean) => void;
  reopen: (request: Partial<TileRequest>) => void;
  close: () => void;
}

/** An open tile, over all connections. */
export class TileLink {
  #calls: TileCalls;

  constructor(calls: TileCalls) {
    this.#calls = calls;
  }

  setTier(tier: Tier): void {
    this.#calls.tier(tier);
  }

  /** With sound, or without. */
  setSound(isOn: boolean): void {
    this.#calls.sound(isOn);
  }

  /** Closes and opens anew: after an end, or when nothing comes. */
  reopen(request: Partial<TileRequest> = {}): void {
    this.#calls.reopen(request);
  }

  close(): void {
    this.#calls.close();
  }
}
