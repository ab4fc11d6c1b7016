// ParkedList.tsx - the parked one by one, the oldest first.
import { useState } from "preact/hooks";
import type { ParkedRow } from "../../api/shapes";
import { digits, num } from "../../format/number";
import { departmentTitle, typeTitle } from "../../live/catalogue";
import { href } from "../../route";
import { may } from "../../session";
import { fill, text } from "../../text";
import { Age } from "../../ui/Age";
import { Button } from "../../ui/Button";
import { Code } from "../../ui/Code";
import { Foreign } from "../../ui/Foreign";
import { Panel } from "../../ui/Panel";
import { Table, type Column } from "../../ui/Table";

const PAGE = 50;

function columns(requeue: (number: number) => void): Column<ParkedRow>[] {
    const t = text();
    const all: Column<ParkedRow>[] = [
        { key: "number", title: t.columns.number, cell: (r) => <a class="row-link" href={href("inquiry", r.number)} aria-label={fill(t.search.open, { n: digits(r.number) })}>{digits(r.number)}</a> },
        { key: "type", title: t.columns.type, cell: (r) => <>{typeTitle(r.type)} <small class="sub"><a class="quiet" href={href("department", r.department)}>{departmentTitle(r.department)}</a></small></> },
        { key: "code", title: t.columns.code, cell: (r) => <Code code={r.code} /> },
        { key: "reason", title: t.columns.reason, cell: (r) => <Foreign clip>{r.reason}</Foreign> },
        { key: "attempts", title: t.columns.attempts, number: true, cell: (r) => num(r.attempts) },
        { key: "at", title: t.columns.at, cell: (r) => <Age at={r.at} /> },
    ];
    if (may("act"))
        all.push({
            key: "act",
            title: t.parked.act,
            cell: (r) => <Button small kind="quiet" onClick={() => requeue(r.number)} label={fill(t.act.requeueTitle, { n: digits(r.number) })}>{t.parked.requeueOne}</Button>,
        });
    return all;
}

export function ParkedList({ rows, whole, requeue }: { rows: ParkedRow[]; whole: boolean; requeue: (number: number) => void }) {
    const t = text().parked;
    const [shown, setShown] = useState(PAGE);
    return (
        <Panel title={t.list} lead={fill(whole ? t.count : t.countAtLeast, { n: num(rows.length) })} flush>
            <Table caption={t.list} columns={columns(requeue)} rows={rows.slice(0, shown)} rowKey={(r) => r.number} />
            {rows.length > shown && (
                <p class="table-more">
                    <Button small onClick={() => setShown(shown + PAGE)}>{t.more}</Button>
                </p>
            )}
        </Panel>
    );
}
