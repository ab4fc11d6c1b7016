// Details.tsx - what the inquiry is: who asked whom, about what, until when, and what came of it.
import type { ComponentChildren } from "preact";
import type { Inquiry } from "../../api/shapes";
import { withTerm } from "../../format/filter";
import { marksNamed } from "../../format/foreign";
import { digits, num } from "../../format/number";
import { departmentTitle, purposeTitle, reasonTitle } from "../../live/catalogue";
import { href } from "../../route";
import { fill, text } from "../../text";
import { Code, Name } from "../../ui/Code";
import { Foreign } from "../../ui/Foreign";
import { Panel } from "../../ui/Panel";
import { Time } from "../../ui/Time";

type Fact = [string, ComponentChildren] | null;

function facts(row: Inquiry): Fact[] {
    const t = text();
    const c = t.columns;
    const i = t.inquiry;
    return [
        row.tracking ? [i.tracking, <Name>{row.tracking}</Name>] : null,
        [c.department, <a href={href("department", row.department)}>{departmentTitle(row.department)}</a>],
        row.district ? [c.district, fill(t.units.district, { n: num(row.district) })] : null,
        [c.type, <><Name>{row.type}</Name>{row.version ? <small> · {i.version} {num(row.version)}</small> : null}</>],
        row.requester ? [c.requester, <Name>{row.requester}</Name>] : null,
        row.purpose ? [c.purpose, purposeTitle(row.purpose)] : null,
        row.parcel ? [c.parcel, <a href={href("search", undefined, { q: `parcel:${row.parcel}` })}><Name>{row.parcel}</Name></a>] : null,
        row.case_id ? [c.case, <a href={href("search", undefined, { q: withTerm("", "case", row.case_id) })}><Foreign>{row.case_id}</Foreign></a>] : null,
        [c.received, <Time at={row.received_at} form="full" />],
        row.due_at ? [c.due, <Time at={row.due_at} />] : null,
        row.ended_at ? [c.ended, <Time at={row.ended_at} form="full" />] : null,
        row.attempts ? [c.attempts, num(row.attempts)] : null,
        row.holder ? [i.holder, <Name>{row.holder}</Name>] : null,
        row.until_at && !row.ended_at ? [i.until, <Time at={row.until_at} form="full" />] : null,
        row.code ? [c.code, <Code code={row.code} />] : null,
        row.reason ? [c.reason, <span title={marksNamed(row.reason)}><Foreign>{reasonTitle(row.type, row.reason)}</Foreign></span>] : null,
        row.legal_ref ? [i.legal, <Foreign>{row.legal_ref}</Foreign>] : null,
        row.valid_until ? [i.validUntil, digits(row.valid_until)] : null,
        row.signer ? [i.signer, <Foreign>{row.signer}</Foreign>] : null,
        row.id ? [i.id, <Name>{row.id}</Name>] : null,
    ];
}

export function Details({ row }: { row: Inquiry }) {
    return (
        <Panel title={text().inquiry.details}>
            <dl class="details">
                {facts(row).filter((f) => f !== null).map(([label, value]) => (
                    <div key={label}>
                        <dt>{label}</dt>
                        <dd>{value}</dd>
                    </div>
                ))}
            </dl>
        </Panel>
    );
}
