// Csv.tsx - everything that the filter finds, as a file. It is fetched, not linked to: a link has no token.
import { useState } from "preact/hooks";
import { getFile } from "../../api/http";
import { num } from "../../format/number";
import { fill, text } from "../../text";
import { Button } from "../../ui/Button";
import { faultText } from "../../ui/Fault";
import { toast } from "../../ui/Toasts";

function offer(content: Blob, name: string): void {
    const url = URL.createObjectURL(content);
    const a = document.createElement("a");
    a.href = url;
    a.download = name;
    a.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function Csv({ query }: { query: string }) {
    const t = text();
    const [busy, setBusy] = useState(false);
    const download = async (): Promise<void> => {
        setBusy(true);
        try {
            const { content, cut } = await getFile(`/v1/inquiries.csv?q=${encodeURIComponent(query)}`);
            offer(content, `estelam-${new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-")}.csv`);
            if (cut) toast(fill(t.search.csvCut, { n: num(cut) }), true);
            else toast(t.search.csvDone);
        } catch (error) {
            toast(faultText(error), true);
        }
        setBusy(false);
    };
    return <Button small icon="download" disabled={busy} onClick={() => void download()}>{busy ? t.act.working : t.search.csv}</Button>;
}
