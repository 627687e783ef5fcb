import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { type RawData, WebSocket } from 'ws';
import type { Fault } from '../../core/outcome.ts';
import type { Sliced } from '../../core/slices.ts';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';
import { HttpExchange } from './http-exchange.ts';
import { httpFault } from './http-fault.ts';
import { MessageReader } from './message-reader.ts';
import { faultOfNetworkError } from './network-fault.ts';
import type { ProbeTransport } from './probe-transport.ts';
import { StallWatch } from './stall-watch.ts';

const SUBPROTOCOL = 'mcp';
/** How long a close frame may stay unanswered before the socket is simply closed. */
const CLOSE_HANDSHAKE_MS = 150;
/** Pings and pongs that a server may send in one probe: each costs an answer, and takes no turn. */
const MAX_CONTROL_FRAMES = 100;

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}

/** JSON-RPC in WebSocket messages, subprotocol `mcp`, with headers of our own on the upgrade. */
export class WebSocketTransport implements ProbeTransport {
  onmessage?: ProbeTransport['onmessage'];
  onclose?: () => void;
  onerror?: (error: Error) => void;
  failure: Fault | null = null;
  suspect: string | null = null;
  #socket: WebSocket | null = null;
  #opened = false;
  #ending: Promise<void> | undefined;
  #stall: StallWatch | null = null;
  /** Resolves when no message waits for a turn. */
  #reading = Promise.resolve();
  #waiting = 0;
  #controlFrames = 0;
  readonly #url: URL;
  readonly #headers: Record<string, string>;
  readonly #context: ProbeContext;
  readonly #exchange: HttpExchange;
  readonly #messages: MessageReader;

  constructor(url: URL, headers: Record<string, string>, context: ProbeContext) {
    this.#url = url;
    this.#headers = headers;
    this.#context = context;
    this.#exchange = new HttpExchange(context);
    this.#messages = new MessageReader('a message', context, {
      onMessage: (message) => {
        context.allowance.takeMessage(message);
        this.onmessage?.(message);
      },
      onNone: (problem) => {
        this.suspect = `on its WebSocket, ${problem}`;
      },
      onFault: (error) =>
        this.#fail(this.#faultOf(error instanceof Error ? error : new Error(String(error)))),
    });
  }

  async start(): Promise<void> {
    const { watch, limits, userAgent, sessions } = this.#context;
    const { dialer } = this.#exchange;
    dialer.admit(this.#url);
    const askedAt = performance.now();
    const socket = new WebSocket(this.#url, SUBPROTOCOL, {
      agent: dialer.agentFor(this.#url.protocol === 'wss:'),
      headers: { 'user-agent': userAgent, ...this.#headers },
      followRedirects: false,
      perMessageDeflate: false,
      maxPayload: limits.bodyBytes,
      autoPong: false,
    });
    this.#socket = socket;
    socket.on('ping', (data) => {
      if (this.#takeControlFrame(socket)) socket.pong(data);
    });
    socket.on('pong', () => void this.#takeControlFrame(socket));
    socket.on('message', (data) => this.#receive(socket, textOf(data)));
    await new Promise<void>((resolve, reject) => {
      socket.once('upgrade', (response) => {
        watch.firstByte(askedAt);
        // Not before the WebSocket listens itself: it would miss what came along with the upgrade.
        socket.once('open', () => this.#watchStalls(socket, response.socket));
      });
      socket.once('open', resolve);
      socket.once('unexpected-response', (_request, response: IncomingMessage) => {
        watch.firstByte(askedAt);
        this.#exchange
          .readExcerpt(response)
          .then((body) => reject(httpFault(response, watch.phase, 'the WebSocket upgrade', body)));
      });
      socket.on('error', (error) => {
        const fault = this.#faultOf(error);
        reject(new FaultError(fault));
        this.#fail(fault);
      });
      socket.once('close', (code, reason) => {
        const said = reason.length > 0 ? `: ${reason.toString('utf8')}` : '';
        const message = `it closed the WebSocket (${code}${said})`;
        const fault: Fault = { kind: 'closed', phase: watch.phase, message };
        reject(new FaultError(fault));
        // What it said before is heard first.
        void this.#heard().then(() => this.#fail(fault));
      });
    });
    this.#opened = true;
    sessions.open();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.failure) throw new FaultError(this.failure);
    const socket = this.#socket;
    await new Promise<void>((resolve, reject) => {
      if (!socket) {
        reject(new FaultError({ kind: 'internal', message: 'the WebSocket is not open' }));
        return;
      }
      socket.send(JSON.stringify(message), (error) => {
        // On a socket that is closing, the close that follows tells why; the sending has no more to say.
        if (!error || socket.readyState !== WebSocket.OPEN) resolve();
        else reject(new FaultError(this.failure ?? this.#faultOf(error)));
      });
    });
  }

  close(): Promise<void> {
    return this.end(this.#context.limits.closeMs);
  }

  end(graceMs: number): Promise<void> {
    this.#ending ??= this.#end(graceMs);
    return this.#ending;
  }

  /** What has come and is no whole frame is known to the WebSocket alone: so the bytes of the socket are watched. */
  #watchStalls(socket: WebSocket, wire: Socket): void {
    const stall = new StallWatch(this.#context, ({ fault }) => this.#fail(fault));
    this.#stall = stall;
    const whole = () => stall.saw(false);
    for (const kind of ['message', 'ping', 'pong', 'close'] as const) socket.on(kind, whole);
    // Before the WebSocket, which tells of a whole frame while it takes the bytes.
    wire.prependListener('data', () => stall.saw(true));
    wire.on('close', whole);
  }

  /** False once there have been too many: then the connection is at its end. */
  #takeControlFrame(socket: WebSocket): boolean {
    this.#controlFrames += 1;
    if (this.#controlFrames <= MAX_CONTROL_FRAMES) return socket.readyState === WebSocket.OPEN;
    const { phase } = this.#context.watch;
    const message = `it sent more than ${MAX_CONTROL_FRAMES} pings and pongs in one probe`;
    this.#fail({ kind: 'limit', phase, limit: 'messages', message });
    socket.terminate();
    return false;
  }

  async #heard(): Promise<void> {
    await this.#reading;
    await this.#messages.idle();
  }

  #receive(socket: WebSocket, text: string): void {
    const { lane } = this.#context;
    // Those that came in the same read as one that waits follow it.
    if (!lane.mustWait(text.length) && this.#waiting === 0) {
      this.#read(text);
      return;
    }
    const read = () => this.#read(text);
    function* work(): Sliced<void> {
      yield* [];
      read();
    }
    this.#waiting += 1;
    socket.pause();
    this.#stall?.hold();
    const goOn = () => {
      this.#waiting -= 1;
      if (this.#waiting > 0) return;
      this.#stall?.goOn();
      socket.resume();
    };
    // Only a probe that is over is turned away, and what is left of its messages is of no interest.
    this.#reading = lane.wait(work()).then(goOn, goOn);
  }

  #read(text: string): void {
    if (this.failure || this.#ending) return;
    try {
      this.#context.allowance.takeBytes(Buffer.byteLength(text));
      this.#messages.read(text);
    } catch (error) {
      this.#fail(this.#faultOf(error instanceof Error ? error : new Error(String(error))));
    }
  }

  #faultOf(error: Error): Fault {
    if (error instanceof FaultError) return error.fault;
    const { watch, limits } = this.#context;
    const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      const message = `it sent a message of more than ${limits.bodyBytes} bytes`;
      return { kind: 'limit', phase: watch.phase, limit: 'body', message };
    }
    if (code.startsWith('WS_ERR_')) return { kind: 'protocol', phase: watch.phase, message: error.message };
    // Without a code it is ws that speaks: the upgrade was answered, and not as a WebSocket of MCP.
    if (code === '' && !(error instanceof FaultError) && !this.#opened) {
      return { kind: 'notMcp', phase: watch.phase, message: error.message };
    }
    return faultOfNetworkError(error, watch.phase);
  }

  #fail(fault: Fault): void {
    if (this.failure || this.#ending) return;
    this.failure = fault;
    this.onclose?.();
  }

  async #end(graceMs: number): Promise<void> {
    this.#messages.stop();
    if (!this.failure) this.onclose?.();
    const socket = this.#socket;
    if (socket && socket.readyState === WebSocket.OPEN) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(CLOSE_HANDSHAKE_MS, graceMs));
        socket.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
        socket.close(1000);
      });
    }
    socket?.terminate();
    await this.#exchange.dialer.close();
    if (this.#opened) this.#context.sessions.close();
  }
}
