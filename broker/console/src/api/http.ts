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

/* A gateway that has not answered by then does not answer: a hung one must not look alive. */
const DEADLINE_MS = 15_000;
const LONG_MS = 120_000; // what is long by nature: a file, a group of inquiries one after the other

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

async function refusal(response: Response): Promise<ApiError> {
    const problem = await problemOf(response);
    if (response.status === 401) onRefused();
    return new ApiError(problem);
}

interface Question {
    method?: "GET" | "POST";
    body?: unknown;
    signal?: AbortSignal;
    deadline?: number; // ms
}

/* An answer that is cut, or is none of ours (a network that wants a login first), comes from no gateway. */
async function ask<T>(path: string, read: (answer: Response) => Promise<T>, { method = "GET", body, signal, deadline = DEADLINE_MS }: Question = {}): Promise<T> {
    const headers: Record<string, string> = authorization();
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const asked = Date.now();
    const stop = new AbortController();
    const leave = (): void => stop.abort();
    const timer = setTimeout(leave, deadline);
    if (signal?.aborted) leave();
    signal?.addEventListener("abort", leave);
    try {
        const response = await fetch(path, {
            method,
            headers,
            body: body === undefined ? undefined : JSON.stringify(body),
            signal: stop.signal,
            cache: "no-store",
        });
        clockIs(response.headers.get("Date"), asked);
        if (!response.ok) throw await refusal(response);
        return await read(response);
    } catch (error) {
        if (error instanceof ApiError || signal?.aborted) throw error;
        throw new ApiError({ status: 0, code: "UNREACHABLE", title: "", detail: "" });
    } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", leave);
    }
}

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return ask(path, (answer) => answer.json() as Promise<T>, { signal });
}

/* Byte for byte: as text the mark by which spreadsheets know UTF-8 would be lost. `cut`: how many rows it has
 * where more were found. */
export function getFile(path: string): Promise<{ content: Blob; cut: number }> {
    const read = async (answer: Response) => ({ content: await answer.blob(), cut: Number(answer.headers.get("Estelam-Truncated")) });
    return ask(path, read, { deadline: LONG_MS });
}

export function post<T>(path: string, body: unknown, long = false): Promise<T> {
    const read = async (answer: Response): Promise<T> => JSON.parse((await answer.text()) || "{}") as T;
    return ask(path, read, { method: "POST", body, deadline: long ? LONG_MS : DEADLINE_MS });
}
