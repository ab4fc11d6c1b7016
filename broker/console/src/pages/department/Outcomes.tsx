// Outcomes.tsx - how the department's inquiries have ended since the log began, from the index's counters.
import type { Counters } from "../../api/shapes";
import { num, percent } from "../../format/number";
import { text, word } from "../../text";
import { Bar } from "../../ui/Bar";
import { Empty } from "../../ui/Empty";
import { Fault } from "../../ui/Fault";
import { Loading } from "../../ui/Loading";
import { Panel } from "../../ui/Panel";
import { useAsked } from "../../ui/useAsked";

interface Share {
    label: string;
    value: number;
}

function shares(counters: Counters, name: string): Share[] {
    return counters.rows
        .filter((r) => r.name === "finished" && r.department === name && r.value > 0)
        .map((r) => ({ label: r.label, value: r.value }))
        .sort((a, b) => b.value - a.value);
}

const tones: Record<string, string> = { positive: "good", negative: "bad", conditional: "warn", expired: "bad" };

export function Outcomes({ name }: { name: string }) {
    const t = text().department;
    const { value, fault, again } = useAsked<Counters>("/v1/counters", 15_000);
    const all = value ? shares(value, name) : [];
    const total = all.reduce((n, s) => n + s.value, 0);
    return (
        <Panel title={t.outcomes}>
            {fault !== null && !value && <Fault of={fault} again={again} />}
            {!value && fault === null && <Loading />}
            {value && !total && <Empty icon="flag" title={t.outcomesEmpty} />}
            <ul class="shares">
                {all.map((s) => (
                    <li key={s.label}>
                        <span class="share-label">{word(text().outcomes, s.label)}</span>
                        <Bar label={word(text().outcomes, s.label)} value={s.value} max={total} tone={tones[s.label] ?? "calm"} />
                        <span class="share-value">{num(s.value)} <small>{percent(s.value / total)}</small></span>
                    </li>
                ))}
            </ul>
        </Panel>
    );
}
