// Reading a JWT, and one line about every field in it. Reading is not verifying: a service must check the signature.

export function decode(token) {
  const [header, claims] = token.split(".").slice(0, 2).map((part) => {
    const binary = atob(part.replace(/-/g, "+").replace(/_/g, "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  });
  return { header, claims };
}

export function shorten(token) {
  return token.length > 32 ? `${token.slice(0, 16)}…${token.slice(-8)}` : token;
}

export const HEADER_MEANING = {
  alg: "Signed with RSA and SHA-256; no other algorithm is accepted.",
  typ: "A JSON Web Token.",
  kid: "The key that signed it; the public half is in the JWKS under this id.",
};

export const CLAIM_MEANING = {
  iss: "Who issued it. Services compare it exactly.",
  sub: "The person’s id in Sentinel.",
  aud: "What it is for: an access token, nothing else.",
  type: "The same, a second time, so that token kinds cannot be mixed up.",
  jti: "The id of this one token, by which it can be revoked.",
  email: "The person’s address.",
  name: "The person’s name.",
  wid: "The workspace it opens.",
  wslug: "The workspace’s short name.",
  wrole: "The role at issue; decisions read the live one from the database.",
  groups: "The groups at issue, likewise read live for decisions.",
  oid: "The organization the person belongs to.",
  oslug: "The organization’s short name.",
  opub: "Whether that organization is a public one.",
  iat: "When it was issued.",
  exp: "When it ends.",
  ep: "The person’s token epoch: raised at logout, every older token dies.",
};

/** A claim as text for people; times also as local time. */
export function readable(name, value) {
  if (name === "iat" || name === "exp") return `${value} (${new Date(value * 1000).toLocaleTimeString()})`;
  if (Array.isArray(value) && value.length === 0) return "[ ]";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Seconds as 14:05, or 6 days. */
export function duration(seconds) {
  if (seconds >= 2 * 86400) return `${Math.floor(seconds / 86400)} days`;
  if (seconds >= 2 * 3600) return `${Math.floor(seconds / 3600)} hours`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
