// Time.tsx - an instant in Tehran's time; UTC on hover and in the markup.
import { ms, timeText, timeTip, type TimeForm } from "../format/time";
import { text } from "../text";

export function Time({ at, form = "minute" }: { at: string | number | null | undefined; form?: TimeForm }) {
    const when = typeof at === "number" ? at : ms(at);
    if (!when) return <span class="none">{text().units.none}</span>;
    return (
        <time dateTime={new Date(when).toISOString()} title={timeTip(when)} class="nowrap">
            {timeText(when, form)}
        </time>
    );
}
