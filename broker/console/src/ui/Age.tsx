// Age.tsx - how long ago something was, ticking; the instant itself on hover.
import { age, ago, brief } from "../format/span";
import { ms, timeText, timeTip } from "../format/time";
import { useNow } from "../live/clock";
import { text } from "../text";

export function Age({ at, plain, large }: { at: string | number | null | undefined; plain?: boolean; large?: boolean }) {
    const now = useNow();
    const when = typeof at === "number" ? at : ms(at);
    if (!when) return <span class="none">{text().units.none}</span>;
    const passed = Math.max(0, now - when);
    return (
        <time dateTime={new Date(when).toISOString()} title={`${timeText(when, "full")} · ${timeTip(when)}`} class="nowrap">
            {large ? brief(passed) : plain ? age(passed) : ago(passed)}
        </time>
    );
}
