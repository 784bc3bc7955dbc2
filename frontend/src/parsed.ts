/** Our own pages and parts as documents: the one place where text becomes elements. */

interface Policy {
  createHTML(text: string): string;
}
interface TrustedTypes {
  createPolicy(name: string, rules: Policy): Policy;
}

// Browsers that know Trusted Types refuse markup from anywhere but this policy; scripts in it never run.
const types = (window as { trustedTypes?: TrustedTypes }).trustedTypes;
const policy = types?.createPolicy("coinlog", { createHTML: (text) => text });

/** The document that an answer of our own holds. */
export async function pageIn(answer: Response): Promise<Document> {
  const text = await answer.text();
  return new DOMParser().parseFromString(policy?.createHTML(text) ?? text, "text/html");
}
