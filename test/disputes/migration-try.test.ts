import { openTemporaryDatabase } from '../../src/stack/temporary-home';
import { migrate } from '../../src/store/migrate';
import { openPool } from '../../src/store/pool';
test('migrates', async () => {
  const db = await openTemporaryDatabase({ env: { ...process.env, DATABASE_URL: '' } });
  try {
    console.log(await migrate(db.postgres.url, console.log));
    const pool = openPool({ url: db.postgres.url, role: 'settle_viewer', applicationName: 'x', onIdleError: () => {} });
    for (const f of ['registry', 'capacity', 'performance', 'demand', 'quotes', 'token', 'macro']) {
      const e = await pool.query(`explain (costs off) select * from settle.corrected_${f}('n', 1, 1) order by 1`);
      console.log(f, e.rows.map((r) => r['QUERY PLAN']).join('\n'));
    }
    await pool.end();
  } finally { await db.close(); }
});
