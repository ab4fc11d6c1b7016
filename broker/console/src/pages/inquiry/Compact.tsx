// Compact.tsx - the timeline as a table: one line an event, for reading many and for pasting into a report.
import type { Inquiry, TimelineRow } from "../../api/shapes";
import { digits } from "../../format/number";
import { timeText, timeTip, clockWithMs } from "../../format/time";
import { fill, text, word } from "../../text";
import { Code, Name } from "../../ui/Code";
import { Foreign } from "../../ui/Foreign";
import { Panel } from "../../ui/Panel";
import { Table, type Column } from "../../ui/Table";
import { exact, stepText } from "./steps";

function columns(): Column<TimelineRow>[] {
    const t = text();
    return [
        {
            key: "at",
            title: t.columns.at,
            cell: (r) => {
                const at = exact(r.at);
                return <time class="nowrap" dateTime={r.at} title={timeTip(at)}>{timeText(at, "date")} {clockWithMs(at)}</time>;
            },
        },
        { key: "seq", title: "#", number: true, cell: (r) => (r.seq ? digits(r.seq) : "") },
        { key: "event", title: t.columns.event, cell: (r) => word(t.events, r.event) },
        { key: "actor", title: t.columns.actor, cell: (r) => (r.actor ? <Name>{r.actor}</Name> : t.inquiry.broker) },
        { key: "code", title: t.columns.code, cell: (r) => (r.code ? <Code code={r.code} /> : "") },
        { key: "text", title: t.columns.text, cell: (r) => <Foreign>{stepText(r.event, r.text ?? "")}</Foreign> },
    ];
}

export function Compact({ rows, row }: { rows: TimelineRow[]; row: Inquiry }) {
    return (
        <Panel title={fill(text().inquiry.title, { n: digits(row.number) })} flush>
            <Table caption={text().inquiry.timeline} columns={columns()} rows={rows} rowKey={(r) => `${r.seq}${r.event}${r.at}`} />
        </Panel>
    );
}
