// session.ts - who is at the window, and what this person may do here. The token lives as long as the tab.
import { ApiError, get, useToken } from "./api/http";
import type { Level, Whoami } from "./api/shapes";
import { forget } from "./live/samples";
import { store } from "./store";

const KEY = "estelam.token";

export type Session =
    | { state: "out"; why?: "refused" }
    | { state: "asking" }
    | { state: "in"; who: Whoami };

export const session = store<Session>({ state: sessionStorage.getItem(KEY) ? "asking" : "out" });

/* A thing that can be done here: from which level on, and with which scope of the token. What is not
 * allowed is not shown; the gateway and the broker refuse it too. */
const needs = {
    queues: ["observer", "watch"],
    search: ["operator", "read"],
    inquiry: ["operator", "read"],
    events: ["operator", "events"],
    parked: ["operator", "watch"],
    keys: ["operator", "watch"],
    config: ["operator", "watch"],
    act: ["operator", "operate"],
    bodies: ["administrator", "administer"],
    drain: ["administrator", "administer"],
    reindex: ["administrator", "administer"],
} as const satisfies Record<string, readonly [Level, string]>;
export type Right = keyof typeof needs;

const rank: Record<Level, number> = { observer: 1, operator: 2, administrator: 3 };

export function may(right: Right): boolean {
    const now = session.get();
    if (now.state !== "in") return false;
    const [level, scope] = needs[right];
    return rank[now.who.level ?? "observer"] >= rank[level] && now.who.scopes.includes(scope);
}

/* The scope that is all this token lacks for something; null when it is there, or the level is too low anyway. */
export function scopeMissing(right: Right): string | null {
    const now = session.get();
    if (now.state !== "in") return null;
    const [level, scope] = needs[right];
    return rank[now.who.level ?? "observer"] >= rank[level] && !now.who.scopes.includes(scope) ? scope : null;
}

export function logout(why?: "refused"): void {
    sessionStorage.removeItem(KEY);
    forget();
    useToken("", () => {});
    session.set({ state: "out", why });
}

async function enter(token: string): Promise<void> {
    useToken(token, () => {});
    const who = await get<Whoami>("/v1/whoami");
    if (who.role !== "operator")
        throw new ApiError({ status: 403, code: "WRONG_DOOR", title: "", detail: "" });
    // The gateway is up and has not met the broker yet: it cannot tell what this account may.
    if (!who.level) throw new ApiError({ status: 503, code: "UNREACHABLE", title: "", detail: "" });
    useToken(token, () => logout("refused"));
    sessionStorage.setItem(KEY, token);
    session.set({ state: "in", who });
}

export const login = (token: string): Promise<void> => enter(token);

/* The tab was loaded again: the token is still here, the gateway is asked whether it still holds. Resolves
 * at once when there is none. Only a gateway that does not know it, or a requester's token, ends the session;
 * whatever else is in the way is thrown, so that the caller may try again. */
export async function resume(): Promise<void> {
    const token = sessionStorage.getItem(KEY);
    if (!token) return;
    try {
        await enter(token);
    } catch (error) {
        if (!(error instanceof ApiError) || (error.problem.status !== 401 && error.problem.code !== "WRONG_DOOR")) throw error;
        logout("refused");
    }
}
