// Redirect.tsx - to the same type's queue in another district, with the reason. Which one is for a person to
// say: none is chosen beforehand.
import { useId, useState } from "preact/hooks";
import { post } from "../../api/http";
import { catalogue } from "../../live/catalogue";
import { digits, num } from "../../format/number";
import { may } from "../../session";
import { useStore } from "../../store";
import { fill, text } from "../../text";
import { Banner } from "../../ui/Banner";
import { Reason } from "../../ui/Reason";
import { toast } from "../../ui/Toasts";
import type { OneProps } from "./Dialogs";

export function RedirectDialog({ number, district, onDone, onClose }: OneProps & { district: number }) {
    const t = text();
    const id = useId();
    const { districts } = useStore(catalogue);
    const choices = Array.from({ length: districts + 1 }, (_, i) => i).filter((d) => d !== district);
    const [to, setTo] = useState("");
    const n = digits(number);
    return (
        <Reason
            title={fill(t.act.redirectTitle, { n })}
            lead={t.act.redirectLead}
            confirm={t.act.redirectDo}
            blocked={to === ""}
            onClose={onClose}
            onConfirm={async (reason) => {
                await post(`/v1/inquiries/${number}/redirect`, { district: Number(to), reason });
                toast(fill(t.act.redirectDone, { n }));
                onDone();
            }}
        >
            {!districts && <Banner tone="calm">{may("config") ? t.act.redirectNone : fill(t.act.redirectUnknown, { scope: "watch" })}</Banner>}
            <div class="field">
                <label for={id}>{t.inquiry.district}</label>
                <select id={id} value={to} onChange={(e) => setTo(e.currentTarget.value)}>
                    <option value="" disabled>{t.act.redirectChoose}</option>
                    {choices.map((d) => (
                        <option key={d} value={d}>{d ? fill(t.units.district, { n: num(d) }) : t.inquiry.noDistrict}</option>
                    ))}
                </select>
            </div>
        </Reason>
    );
}
