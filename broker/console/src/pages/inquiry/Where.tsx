// Where.tsx - one bar of the inquiry's whole time, each part as long as it took: the queue, the agent, …
import { span } from "../../format/span";
import { text } from "../../text";
import type { Phase } from "./steps";

interface Part {
    phase: Phase;
    ms: number;
    open: boolean;
}

const SMALLEST = 0.015; // of the bar: a part that one can still see

export function Where({ spent, final }: { spent: Part[]; final: boolean }) {
    const t = text().inquiry;
    const parts = spent.filter((p) => p.phase !== "toRequester");
    const total = parts.reduce((n, p) => n + p.ms, 0);
    if (!parts.length || total <= 0) return null;
    const sums = new Map<Phase, number>();
    for (const p of parts) sums.set(p.phase, (sums.get(p.phase) ?? 0) + p.ms);
    return (
        <div class="where">
            <p class="where-total">
                <span>{final ? t.total : t.totalOpen}</span> <b>{span(total)}</b>
            </p>
            <div class="where-bar" aria-hidden="true">
                {parts.map((p, i) => (
                    <i key={i} class={`phase-${p.phase}${p.open ? " phase-open" : ""}`} style={{ flexGrow: Math.max(p.ms / total, SMALLEST) }} />
                ))}
            </div>
            <ul class="where-legend" aria-label={t.where}>
                {[...sums].map(([phase, ms]) => (
                    <li key={phase}>
                        <i class={`phase-${phase}`} aria-hidden="true" />
                        {t[phase]} <b>{span(ms)}</b>
                    </li>
                ))}
            </ul>
        </div>
    );
}
