/** Tries again what a container that ends at this very moment refuses: it can be neither stopped nor removed then. */
const ATTEMPTS = 20;
const RETRY_MS = 250;

/** Rejects with the last failure. */
export async function persist(attempt: () => Promise<unknown>): Promise<void> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (left <= 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
