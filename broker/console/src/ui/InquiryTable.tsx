// InquiryTable.tsx - inquiries as search finds them; the number opens one.
import type { Inquiry } from "../api/shapes";
import { digits } from "../format/number";
import { departmentTitle, typeTitle } from "../live/catalogue";
import { href } from "../route";
import { fill, text } from "../text";
import { Name } from "./Code";
import { OutcomeBadge, StateBadge } from "./StateBadge";
import { Table, type Column } from "./Table";
import { Time } from "./Time";

function columns(): Column<Inquiry>[] {
    const t = text();
    const none = <span class="none">{t.units.none}</span>;
    return [
        {
            key: "number",
            title: t.columns.number,
            cell: (i) => (
                <a class="row-link" href={href("inquiry", i.number)} aria-label={fill(t.search.open, { n: digits(i.number) })}>
                    {digits(i.number)}
                </a>
            ),
        },
        { key: "type", title: t.columns.type, cell: (i) => <>{typeTitle(i.type)} <small class="sub"><Name>{i.type}</Name></small></> },
        { key: "department", title: t.columns.department, cell: (i) => <a class="quiet" href={href("department", i.department)}>{departmentTitle(i.department)}</a> },
        { key: "state", title: t.columns.state, cell: (i) => <StateBadge state={i.state} /> },
        { key: "outcome", title: t.columns.outcome, cell: (i) => <OutcomeBadge outcome={i.outcome} /> },
        { key: "received", title: t.columns.received, cell: (i) => <Time at={i.received_at} /> },
        { key: "parcel", title: t.columns.parcel, cell: (i) => (i.parcel ? <Name>{i.parcel}</Name> : none) },
        { key: "requester", title: t.columns.requester, cell: (i) => <Name>{i.requester}</Name> },
    ];
}

/* `of`: all are of this department, so its name is not said again. */
export function InquiryTable({ caption, rows, of }: { caption: string; rows: Inquiry[]; of?: string }) {
    const all = columns();
    return (
        <Table
            caption={caption}
            columns={of ? all.filter((c) => c.key !== "department") : all}
            rows={rows}
            rowKey={(i) => i.number}
        />
    );
}
