// app.tsx - who is here decides what is shown: the login, or the shell around a page.
import { useEffect } from "preact/hooks";
import { ApiError } from "./api/http";
import { boardStart, boardStop } from "./live/board";
import { catalogueStart } from "./live/catalogue";
import { feedStart, feedStop } from "./live/feed";
import { linkReset, unreachable } from "./live/link";
import { Login } from "./pages/login/Login";
import { prefs } from "./prefs";
import { href, replace, route } from "./route";
import { may, resume, session, type Session } from "./session";
import { Shell } from "./shell/Shell";
import { useStore } from "./store";

/* Counts are asked for together with who is asking: the first view needs both and no order. */
function onToken(there: boolean): (() => void) | undefined {
    if (!there) return;
    linkReset();
    boardStart();
    return boardStop;
}

function onSession(now: Session): (() => void) | undefined {
    if (now.state !== "in") return;
    const stop = catalogueStart();
    if (may("events")) feedStart();
    return () => (stop(), feedStop());
}

/* After a reload the gateway may be away for a moment: the token is worth another question. */
function useResume(state: Session["state"]): void {
    useEffect(() => {
        if (state !== "asking") return;
        let timer = 0;
        const attempt = (): void => {
            resume().catch((error: unknown) => {
                unreachable();
                const wait = error instanceof ApiError ? (error.problem.retryAfter ?? 0) : 0;
                timer = window.setTimeout(attempt, Math.max(1_500, wait * 1_000));
            });
        };
        attempt();
        return () => clearTimeout(timer);
    }, [state]);
}

/* Who may not see the overview begins at the search. */
function useLanding(now: Session): void {
    const { page } = useStore(route);
    useEffect(() => {
        if (now.state === "in" && page === "" && !may("queues") && may("search")) replace(href("search"));
    }, [now, page]);
}

export function App() {
    useStore(prefs);
    const now = useStore(session);
    useResume(now.state);
    useLanding(now);
    const there = now.state !== "out";
    useEffect(() => onToken(there), [there]);
    useEffect(() => onSession(now), [now]);
    if (now.state === "out") return <Login why={now.why} />;
    if (now.state === "asking") return <Shell waiting />;
    return <Shell />;
}
