export async function createTestDatabase() {
  return { url: 'postgres://postgres@127.0.0.1:55432/q1', close: async () => {} };
}
