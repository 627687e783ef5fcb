import {
  type BackendClasses,
  type BulkJobOptions,
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  type Job,
  type JobsOptions,
  runMigrations,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { waitForRedis } from './wait-for-redis.ts';

export type { Job } from 'bullmq';

/** The part of a BullMQ queue that the product uses, the same on every backend. */
export interface JobQueue<Data, Result> {
  add(name: string, data: Data, options?: JobsOptions): Promise<Job<Data, Result>>;
  addBulk(jobs: { name: string; data: Data; opts?: BulkJobOptions }[]): Promise<Job<Data, Result>[]>;
  /** A job every `everyMs`, once in the whole cluster, whoever asks for it and however often. */
  schedule(id: string, everyMs: number, data: Data): Promise<void>;
  counts(): Promise<Record<string, number>>;
  close(): Promise<void>;
}

export type Processor<Data, Result> = (job: Job<Data, Result>, token: string) => Promise<Result>;

export interface JobWorker {
  /** Takes no new job; resolves when the running ones have ended. */
  close(): Promise<void>;
}

export interface QueueBackend {
  kind: 'postgres' | 'redis';
  queue<Data, Result>(name: string): JobQueue<Data, Result>;
  worker<Data, Result>(
    name: string,
    concurrency: number,
    process: Processor<Data, Result>,
  ): Promise<JobWorker>;
  /** Rejects when the backend does not answer. */
  ping(): Promise<void>;
  /** Last of all: queues and workers are closed by those who made them. */
  close(): Promise<void>;
}

/** Told of every fault of a connection: BullMQ reconnects by itself, but never in silence. */
export type OnQueueError = (source: string, error: Error) => void;

function bind<Backend extends IQueueBackend, Connection>(
  classes: BackendClasses<Backend, Connection>,
  connections: { producer: Connection; consumer: Connection },
  prefix: string,
  onError: OnQueueError,
): Pick<QueueBackend, 'queue' | 'worker'> {
  return {
    queue<Data, Result>(name: string): JobQueue<Data, Result> {
      const queue = new classes.Queue<Data, Result>(name, { connection: connections.producer, prefix });
      queue.on('error', (error) => onError(`queue ${name}`, error));
      // BullMQ derives its parameter types from Data in a way TypeScript cannot follow through a generic.
      const plain = queue as unknown as {
        add: JobQueue<Data, Result>['add'];
        addBulk: JobQueue<Data, Result>['addBulk'];
        upsertJobScheduler(
          id: string,
          every: { every: number },
          job: { name: string; data: Data; opts: object },
        ): Promise<unknown>;
      };
      return {
        add: (...args) => plain.add(...args),
        addBulk: (jobs) => plain.addBulk(jobs),
        async schedule(id, everyMs, data) {
          const opts = { removeOnComplete: true, removeOnFail: { count: 100 } };
          await plain.upsertJobScheduler(id, { every: everyMs }, { name: id, data, opts });
        },
        counts: () => queue.getJobCounts(),
        close: () => queue.close(),
      };
    },

    async worker<Data, Result>(name: string, concurrency: number, process: Processor<Data, Result>) {
      const worker = new classes.Worker<Data, Result>(name, (job, token) => process(job, token ?? ''), {
        connection: connections.consumer,
        prefix,
        concurrency,
      });
      worker.on('error', (error) => onError(`worker ${name}`, error));
      await worker.waitUntilReady();
      return { close: () => worker.close() };
    },
  };
}

/** `{…}` makes a cluster keep all keys in one hash slot. */
const REDIS_PREFIX = '{mcp-vitals}';

async function openRedis(
  url: string,
  onError: OnQueueError,
  onRetry: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<QueueBackend> {
  await waitForRedis(url, { onRetry, signal });
  // A producer fails fast; a consumer waits for its connection as long as it takes.
  const producer = new Redis(url, {
    maxRetriesPerRequest: 1,
    connectionName: 'mcp-vitals',
    lazyConnect: true,
  });
  const consumer = new Redis(url, {
    maxRetriesPerRequest: null,
    connectionName: 'mcp-vitals',
    lazyConnect: true,
  });
  for (const client of [producer, consumer]) client.on('error', (error) => onError('redis', error));
  await Promise.all([producer.connect(), consumer.connect()]);
  return {
    kind: 'redis',
    ...bind(withBackend(createRedisBackend), { producer, consumer }, REDIS_PREFIX, onError),
    async ping() {
      await producer.ping();
    },
    async close() {
      producer.disconnect();
      consumer.disconnect();
    },
  };
}

/** A pool of ours, because BullMQ cannot load `pg` from an ES module; its tables are in schema `bullmq`. */
async function openPostgres(config: pg.PoolConfig, onError: OnQueueError): Promise<QueueBackend> {
  const pool = new pg.Pool({
    ...config,
    max: 16,
    keepAlive: true,
    application_name: 'mcp-vitals queue',
    options: '-c search_path=bullmq',
  });
  // Every queue and every worker listens to it, which are more than Node takes for a leak.
  pool.setMaxListeners(0);
  pool.on('error', (error) => onError('pool', error));
  const client = await pool.connect();
  try {
    await runMigrations(client, 'bullmq');
  } finally {
    client.release();
  }
  return {
    kind: 'postgres',
    ...bind(withBackend(createPostgresBackend), { producer: pool, consumer: pool }, 'unused', onError),
    async ping() {
      await pool.query('select 1');
    },
    close: () => pool.end(),
  };
}

export interface QueueConfig {
  /** null: the queue lives in PostgreSQL. */
  redisUrl: string | null;
  /** node-postgres settings of the database; used without Redis. */
  postgres: pg.PoolConfig;
}

/**
 * Connects to where jobs wait, and makes BullMQ's own tables when they are missing. Rejects with a
 * QueueUnreachableError when Redis does not answer.
 */
export function openQueueBackend(
  config: QueueConfig,
  onError: OnQueueError,
  onRetry: (line: string) => void,
  signal?: AbortSignal,
): Promise<QueueBackend> {
  return config.redisUrl === null
    ? openPostgres(config.postgres, onError)
    : openRedis(config.redisUrl, onError, onRetry, signal);
}
