import { randomBytes } from 'node:crypto';
import type { SecretsCommand, SecretsReport } from '../cli/actions.ts';
import { reseal } from '../core/secrets/reseal.ts';
import { NONCE_BYTES } from '../core/secrets/seal.ts';
import type { Database } from '../db/client.ts';
import { readCredentials, replaceCredentials, type StoredCredentials } from '../db/queries/secrets.ts';
import { readServers } from '../db/queries/server-details.ts';
import { type ActionContext, withDatabase } from './context.ts';

const PAGE = 500;

/**
 * Seals, seals anew or only looks at the credentials of the registry, a page at a time. Each page is
 * written at once and what is done is never done again: a run that was ended goes on with the next one.
 */
export function runSecrets(context: ActionContext, command: SecretsCommand): Promise<SecretsReport> {
  const { secretKeys } = context.config();
  if (secretKeys.length === 0 && command.work !== 'check') {
    throw new Error('VITALS_SECRET_KEY is not set: there is no key to seal with');
  }
  return withDatabase(context, async ({ db }) => {
    const report: SecretsReport = {
      replaced: 0,
      changedMeanwhile: [],
      plain: [],
      unreadable: [],
      byKey: {},
      unknown: await unknownIds(db, command.ids),
    };
    const rules = {
      keys: secretKeys,
      plain: command.work === 'seal',
      stale: command.work === 'rotate',
      newNonce: () => randomBytes(NONCE_BYTES),
    };
    const firstId = secretKeys[0]?.id ?? '';
    for (let afterId = ''; !context.stop.aborted; ) {
      const page = await readCredentials(db, {
        ...(command.ids === undefined ? {} : { ids: command.ids }),
        afterId,
        limit: PAGE,
      });
      const changes = page.flatMap((row) => lookAt(row, rules, report));
      const written = await replaceCredentials(db, changes);
      report.replaced += written.length;
      if (written.length > 0) report.byKey[firstId] = (report.byKey[firstId] ?? 0) + written.length;
      report.changedMeanwhile.push(...changes.map(({ id }) => id).filter((id) => !written.includes(id)));
      command.onProgress(report.replaced);
      const last = page.at(-1);
      if (!last || page.length < PAGE) break;
      afterId = last.id;
    }
    return report;
  });
}

function lookAt(
  { id, tenantId, authConfig }: StoredCredentials,
  rules: Parameters<typeof reseal>[2],
  report: SecretsReport,
): { id: string; before: string; after: string }[] {
  const found = reseal(authConfig, { serverId: id, tenantId }, rules);
  if (found.state === 'replaced') return [{ id, before: authConfig, after: found.text }];
  if (found.state === 'unreadable') report.unreadable.push({ id, problem: found.problem });
  else if (found.keyId === null) report.plain.push(id);
  else report.byKey[found.keyId] = (report.byKey[found.keyId] ?? 0) + 1;
  return [];
}

async function unknownIds(db: Database, ids: readonly string[] | undefined): Promise<string[]> {
  if (ids === undefined) return [];
  const known = new Set((await readServers(db, { ids: [...ids] })).map(({ id }) => id));
  return ids.filter((id) => !known.has(id));
}
