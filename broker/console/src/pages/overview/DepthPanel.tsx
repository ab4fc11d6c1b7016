// DepthPanel.tsx - waiting and under way over the last hour, growing while one looks.
import { useMemo } from "preact/hooks";
import { num } from "../../format/number";
import { timeText } from "../../format/time";
import { cityNow } from "../../live/clock";
import { samples } from "../../live/samples";
import { depth, rows } from "../../live/series";
import { useStore } from "../../store";
import { fill, text } from "../../text";
import { Chart } from "../../ui/Chart";
import { Panel } from "../../ui/Panel";

export const HOUR_MS = 3_600_000;
const SHORTEST_MS = 5 * 60_000; // the axis of a page that was just opened

/* An hour, or since the first sample when that is less. */
export function axis(first: number | undefined, now: number): { from: number; to: number } {
    const begun = Math.max(first ?? now, now - HOUR_MS);
    return { from: Math.min(begun, now - SHORTEST_MS) / 1000, to: now / 1000 };
}

export function DepthPanel() {
    const t = text();
    const all = useStore(samples);
    const data = useMemo(() => rows(all, [depth(null, 0), depth(null, 2), depth(null, 1)]), [all]);
    const first = all[0]?.at;
    const now = all[all.length - 1]?.at ?? cityNow();
    const whole = first !== undefined && now - first > HOUR_MS * 0.97;
    return (
        <Panel
            title={t.overview.depth}
            lead={whole || !first ? t.overview.depthLead : fill(t.overview.depthSince, { time: timeText(first, "short") })}
        >
            <Chart
                label={t.overview.depth}
                height={236}
                data={data}
                format={(v) => num(v)}
                {...axis(first, now)}
                series={[
                    { label: t.columns.waiting, color: "--chart-1", fill: true },
                    { label: t.columns.leased, color: "--chart-2" },
                    { label: t.columns.delayed, color: "--chart-3", dash: true },
                ]}
            />
        </Panel>
    );
}
