// LostBanner.tsx - how long the gateway, or the broker behind it, has been away, and that what is shown is from before.
import { age } from "../format/span";
import { board } from "../live/board";
import { useNow } from "../live/clock";
import { retryNow } from "../live/feed";
import { link } from "../live/link";
import { useStore } from "../store";
import { fill, text } from "../text";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";

const PATIENCE_MS = 3_000; // a restart of the gateway is shorter than that, mostly

export function LostBanner() {
    const { state, since } = useStore(link);
    useNow();
    const brokerIsAway = (useStore(board).fault?.problem.status ?? 0) >= 500;
    const away = Date.now() - since; // both by this machine's clock
    if (state !== "lost" || away < PATIENCE_MS) return null;
    return (
        <div class="lost">
            <Banner tone="warn">
                {fill(brokerIsAway ? text().link.brokerFor : text().link.lostFor, { age: age(away) })}{" "}
                <Button small onClick={retryNow}>{text().link.retryNow}</Button>
            </Banner>
        </div>
    );
}
