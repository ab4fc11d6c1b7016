// Districts.tsx - the department's queues, one for each district that has something in it.
import type { QueueRow } from "../../api/shapes";
import { num } from "../../format/number";
import { fill, text } from "../../text";
import { Age } from "../../ui/Age";
import { Empty } from "../../ui/Empty";
import { Figure } from "../../ui/Figure";
import { Panel } from "../../ui/Panel";
import { Table, type Column } from "../../ui/Table";

function columns(): Column<QueueRow>[] {
    const t = text();
    return [
        { key: "district", title: t.columns.district, cell: (q) => (q.district ? fill(t.units.district, { n: num(q.district) }) : t.department.cityWide) },
        { key: "oldest", title: t.columns.oldest, cell: (q) => <Age at={q.oldest_at} plain /> },
        { key: "waiting", title: t.columns.waiting, number: true, cell: (q) => <Figure value={q.waiting} strong /> },
        { key: "leased", title: t.columns.leased, number: true, cell: (q) => <Figure value={q.leased} /> },
        { key: "delayed", title: t.columns.delayed, number: true, cell: (q) => <Figure value={q.delayed} /> },
        { key: "parked", title: t.columns.parked, number: true, cell: (q) => <Figure value={q.parked} warn /> },
    ];
}

export function Districts({ rows }: { rows: QueueRow[] }) {
    const t = text().department;
    const busy = rows.filter((q) => q.waiting + q.leased + q.delayed + q.parked > 0).sort((a, b) => a.district - b.district);
    return (
        <Panel title={t.queues} flush>
            {busy.length ? (
                <Table caption={t.queues} columns={columns()} rows={busy} rowKey={(q) => q.district} />
            ) : (
                <Empty icon="queue" title={t.queuesEmpty}>{t.queuesEmptyDo}</Empty>
            )}
        </Panel>
    );
}
