// Charts.tsx - depth of the department's queues, and the age of the oldest in them, over the last hour.
import { useMemo } from "preact/hooks";
import { num } from "../../format/number";
import { span } from "../../format/span";
import { timeText } from "../../format/time";
import { samples } from "../../live/samples";
import { depth, oldestAge, rows } from "../../live/series";
import { useStore } from "../../store";
import { fill, text } from "../../text";
import { Chart, SECOND_STEPS } from "../../ui/Chart";
import { Panel } from "../../ui/Panel";
import { axis, HOUR_MS } from "../overview/DepthPanel";

export function Charts({ name }: { name: string }) {
    const t = text();
    const all = useStore(samples);
    const depths = useMemo(() => rows(all, [depth(name, 0), depth(name, 2)]), [all, name]);
    const ages = useMemo(() => rows(all, [oldestAge(name)]), [all, name]);
    const first = all[0]?.at;
    const now = all[all.length - 1]?.at ?? Date.now();
    const whole = first === undefined || now - first > HOUR_MS * 0.97;
    const lead = whole ? t.overview.depthLead : fill(t.overview.depthSince, { time: timeText(first, "short") });
    return (
        <div class="split split-even">
            <Panel title={t.department.depth} lead={lead}>
                <Chart
                    label={t.department.depth}
                    data={depths}
                    format={(v) => num(v)}
                    {...axis(first, now)}
                    series={[
                        { label: t.columns.waiting, color: "--chart-1", fill: true },
                        { label: t.columns.leased, color: "--chart-2" },
                    ]}
                />
            </Panel>
            <Panel title={t.department.age} lead={lead}>
                <Chart
                    label={t.department.age}
                    data={ages}
                    steps={SECOND_STEPS}
                    format={(v) => (v === 0 ? num(0) : span(Math.round(v) * 1000))}
                    {...axis(first, now)}
                    series={[{ label: t.columns.oldest, color: "--chart-4", fill: true }]}
                />
            </Panel>
        </div>
    );
}
