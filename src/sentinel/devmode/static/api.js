// Requests to this server, and what went wrong in words that a person can act on.

export class ApiError extends Error {
  /** `status` 0 means that no answer came; `retryAfter` is in seconds, or null. */
  constructor(status, message, retryAfter = null) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** POST JSON and return the decoded answer. Throws ApiError for everything that is not a success. */
export async function post(path, body, token) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
  } catch {
    throw new ApiError(0, "The server does not answer. Is it still running in the terminal?");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw new ApiError(response.status, inWords(response.status, answer), retryAfter(response));
}

function inWords(status, answer) {
  if (status === 429) return "Too many requests in a short time. The server asks for a pause.";
  const detail = answer?.detail;
  if (typeof detail === "string") return `The server says: ${sentence(detail)}`;
  if (Array.isArray(detail)) {
    const faults = detail.map((fault) => `${(fault.loc ?? []).slice(1).join(".")}: ${fault.msg}`);
    return `The server does not accept the request. ${sentence(faults.join("; "))}`;
  }
  return `The server answered with status ${status} and no explanation.`;
}

function retryAfter(response) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  if (Number.isFinite(seconds)) return seconds;
  return response.status === 429 ? 60 : null;
}

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
