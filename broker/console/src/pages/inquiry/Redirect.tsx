// Redirect.tsx - to the same type's queue in another district, with the reason.
import { useId, useState } from "preact/hooks";
import { post } from "../../api/http";
import { catalogue } from "../../live/catalogue";
import { digits, num } from "../../format/number";
import { fill, text } from "../../text";
import { Reason } from "../../ui/Reason";
import { toast } from "../../ui/Toasts";
import type { OneProps } from "./Dialogs";

export function RedirectDialog({ number, district, onDone, onClose }: OneProps & { district: number }) {
    const t = text();
    const id = useId();
    const choices = Array.from({ length: catalogue.get().districts + 1 }, (_, i) => i).filter((d) => d !== district);
    const [to, setTo] = useState(choices[0] ?? 0);
    const n = digits(number);
    return (
        <Reason
            title={fill(t.act.redirectTitle, { n })}
            lead={t.act.redirectLead}
            confirm={t.act.redirectDo}
            onClose={onClose}
            onConfirm={async (reason) => {
                await post(`/v1/inquiries/${number}/redirect`, { district: to, reason });
                toast(fill(t.act.redirectDone, { n }));
                onDone();
            }}
        >
            <div class="field">
                <label for={id}>{t.inquiry.district}</label>
                <select id={id} value={to} onChange={(e) => setTo(Number(e.currentTarget.value))}>
                    {choices.map((d) => (
                        <option key={d} value={d}>{d ? fill(t.units.district, { n: num(d) }) : t.inquiry.noDistrict}</option>
                    ))}
                </select>
            </div>
        </Reason>
    );
}
