import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { clearQueue, eventually, startTestDaemon, testConfig } from '../../support/daemon.ts';
import { createTestDatabase } from '../../support/database.ts';

test('a daemon that starts looks after the partitions, and tells of them', async () => {
  await clearQueue();
  const database = await createTestDatabase();
  const daemon = await startTestDaemon(testConfig(database.url));
  try {
    await eventually('a run of the job', async () => {
      const [run] = await daemon.db.execute(sql`SELECT 1 FROM vitals.job_run WHERE job = 'storage'`);
      return run;
    });
    const text = await eventually('the metrics', async () => {
      const rendered = await (await fetch(new URL('/metrics', daemon.httpUrl))).text();
      return rendered.includes('mcp_storage_partitions{') ? rendered : undefined;
    });
    expect(text).toMatch(/^mcp_storage_partitions\{table="api_usage"\} [3-9]/m);
    expect(text).toMatch(/^mcp_storage_default_rows\{table="audit_log"\} 0$/m);
    const [setting] = await daemon.db.execute(
      sql`SELECT value FROM system_config WHERE key = 'vitals.retention.api_usage_days'`,
    );
    expect(setting).toEqual({ value: 35 });
  } finally {
    await daemon.stop();
    await database.close();
  }
});
