// AnswerTimes.tsx - how long the last answers took, each a dot at the moment it came.
import { useEffect, useMemo } from "preact/hooks";
import type { FoundList, Inquiry } from "../../api/shapes";
import { num } from "../../format/number";
import { span } from "../../format/span";
import { onEvents } from "../../live/feed";
import { fill, text } from "../../text";
import { Chart, MS_STEPS } from "../../ui/Chart";
import { Empty } from "../../ui/Empty";
import { Fault } from "../../ui/Fault";
import { Loading } from "../../ui/Loading";
import { Panel } from "../../ui/Panel";
import { useAsked } from "../../ui/useAsked";

const LIMIT = 200;

interface Answer {
    at: number; // seconds
    took: number; // ms
}

function answers(rows: Inquiry[]): Answer[] {
    return rows
        .filter((r) => r.ended_at)
        .map((r) => ({ at: Date.parse(r.ended_at ?? "") / 1000, took: Date.parse(r.ended_at ?? "") - Date.parse(r.received_at) }))
        .sort((a, b) => a.at - b.at);
}

function quantile(sorted: number[], q: number): number {
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

export function AnswerTimes({ name }: { name: string }) {
    const t = text().department;
    const q = encodeURIComponent(`department:${name} state:answered`);
    const { value, fault, again } = useAsked<FoundList>(`/v1/inquiries?q=${q}&limit=${LIMIT}`, 15_000);
    useEffect(() => onEvents((events) => events.some((e) => e.department === name && e.event === "answered") && again()), [name, again]);
    const list = useMemo(() => answers(value?.rows ?? []), [value]);
    const sorted = list.map((a) => a.took).sort((a, b) => a - b);
    const data = useMemo<[number[], number[]]>(() => [list.map((a) => a.at), list.map((a) => a.took)], [list]);
    const lead = list.length > 0 && (
        <>
            {fill(t.answersLead, { n: num(list.length) })}: {fill(t.median, { value: span(quantile(sorted, 0.5)) })}
            {text().units.comma}
            {fill(t.p95, { value: span(quantile(sorted, 0.95)) })}
        </>
    );
    return (
        <Panel title={t.answers} lead={lead}>
            {fault !== null && !value && <Fault of={fault} again={again} />}
            {!value && fault === null && <Loading />}
            {value && !list.length && <Empty icon="clock" title={t.answersEmpty} />}
            {list.length > 0 && (
                <Chart label={t.answers} data={data} steps={MS_STEPS} format={(v) => (v === 0 ? num(0) : span(v))} series={[{ label: t.answers, color: "--chart-2", points: true }]} />
            )}
        </Panel>
    );
}
