import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';

export interface DnsQuestion {
  name: string;
  type: 'A' | 'AAAA' | 'other';
}

/** Addresses, no such name, or nothing at all. */
export type DnsAnswer = readonly string[] | 'nxdomain' | 'silence';

export interface DnsServer {
  /** `host:port`, as a resolver takes it. */
  address: string;
  /** Every question, in order. */
  questions: DnsQuestion[];
  stop(): Promise<void>;
}

const TYPES: Record<number, DnsQuestion['type']> = { 1: 'A', 28: 'AAAA' };

function readQuestion(packet: Buffer): { question: DnsQuestion; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = packet[at] ?? 0; length > 0; length = packet[at] ?? 0) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  const type = TYPES[packet.readUInt16BE(at + 1)] ?? 'other';
  return { question: { name: labels.join('.').toLowerCase(), type }, end: at + 5 };
}

function bytesOf(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const words = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail = ''] = words.split('::');
  const parts = (text: string) =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const [before, after] = [parts(head), parts(tail)];
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]));
}

/** A DNS server whose answers a test decides, question by question; nothing it says may be kept (TTL 0). */
export async function startDns(
  answer: (question: DnsQuestion, asked: number) => DnsAnswer,
): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const questions: DnsQuestion[] = [];
  const asked = new Map<string, number>();
  socket.on('message', (packet, { port, address }) => {
    const { question, end } = readQuestion(packet);
    questions.push(question);
    const key = `${question.type} ${question.name}`;
    const count = (asked.get(key) ?? 0) + 1;
    asked.set(key, count);
    const given = answer(question, count);
    if (given === 'silence') return;
    const family = question.type === 'A' ? 4 : question.type === 'AAAA' ? 6 : 0;
    const records = given === 'nxdomain' ? [] : given.filter((text) => isIP(text) === family);
    const head = Buffer.from(packet.subarray(0, end));
    head.writeUInt16BE(given === 'nxdomain' ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt32BE(0, 8);
    const body = records.map((text) => {
      const bytes = bytesOf(text);
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(family === 4 ? 1 : 28, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt16BE(bytes.length, 10);
      return Buffer.concat([record, bytes]);
    });
    socket.send(Buffer.concat([head, ...body]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
