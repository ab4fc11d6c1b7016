// Bodies.tsx - request and reply, for administrators: nobody else is given them.
import type { Inquiry } from "../../api/shapes";
import { marksEscaped } from "../../format/foreign";
import { may } from "../../session";
import { text } from "../../text";
import { Panel } from "../../ui/Panel";

const hasContent = (value: unknown): boolean => value !== null && value !== undefined;

export function Bodies({ row }: { row: Inquiry }) {
    const t = text().inquiry;
    if (!may("bodies") || (!hasContent(row.request) && !hasContent(row.reply))) return null;
    const part = (title: string, value: unknown) =>
        hasContent(value) && (
            <Panel title={title}>
                <pre class="json" dir="ltr" tabIndex={0}>{marksEscaped(JSON.stringify(value, null, 2))}</pre>
            </Panel>
        );
    return (
        <div class="split split-even">
            {part(t.request, row.request)}
            {part(t.reply, row.reply)}
        </div>
    );
}
