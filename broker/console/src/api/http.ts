// http.ts - one way to ask the gateway: bearer token, JSON, RFC 9457 problems as exceptions.
import { clockIs } from "../live/clock";
import { prefs } from "../prefs";

export interface Problem {
    status: number;
    code: string; // a code of the protocol, or HTTP_<status>, or UNREACHABLE
    title: string;
    detail: string;
    retryAfter?: number; // seconds
}

export class ApiError extends Error {
    constructor(readonly problem: Problem) {
        super(problem.detail || problem.title || problem.code);
    }
}

let token = "";
let onRefused: () => void = () => {};

/* Which token to send, and what to do when the gateway does not know it (any more). */
export function useToken(next: string, refused: () => void): void {
    token = next;
    onRefused = refused;
}

export function authorization(): Record<string, string> {
    return { Authorization: `Bearer ${token}`, "Accept-Language": prefs.get().language };
}

function text(from: unknown): string {
    return typeof from === "string" ? from : "";
}

async function problemOf(response: Response): Promise<Problem> {
    let body: Record<string, unknown> = {};
    try {
        body = (await response.json()) as Record<string, unknown>;
    } catch {
        // Not JSON: the status has to do.
    }
    const own = text(body[`title_${prefs.get().language}`]);
    return {
        status: response.status,
        code: text(body.code) || `HTTP_${response.status}`,
        title: own || text(body.title),
        detail: body.detail === body.title ? "" : text(body.detail), // the code's own words in English: nothing more
        retryAfter: Number(response.headers.get("Retry-After")) || undefined,
    };
}

async function ask(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = authorization();
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const asked = Date.now();
    let response: Response;
    try {
        response = await fetch(path, {
            method,
            headers,
            body: body === undefined ? undefined : JSON.stringify(body),
            signal,
            cache: "no-store",
        });
    } catch (error) {
        if (signal?.aborted) throw error;
        throw new ApiError({ status: 0, code: "UNREACHABLE", title: "", detail: "" });
    }
    clockIs(response.headers.get("Date"), asked);
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (response.status === 401) onRefused();
    throw new ApiError(problem);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await (await ask("GET", path, undefined, signal)).json()) as T;
}

/* Byte for byte: as text the mark by which spreadsheets know UTF-8 would be lost. `cut`: how many rows it has
 * where more were found. */
export async function getFile(path: string): Promise<{ content: Blob; cut: number }> {
    const response = await ask("GET", path);
    return { content: await response.blob(), cut: Number(response.headers.get("Estelam-Truncated")) };
}

export async function post<T>(path: string, body: unknown): Promise<T> {
    const answer = await (await ask("POST", path, body)).text();
    return (answer ? JSON.parse(answer) : {}) as T;
}
