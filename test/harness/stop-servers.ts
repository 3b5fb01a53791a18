/** After the last test, failed or not. */
export default async function stopServers(): Promise<void> {
  await globalThis.settleTestStack?.close();
}
