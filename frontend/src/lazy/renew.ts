/** The renewal of an open page: loaded with the first new slot, hours after the page. */
import "../main";

export * from "../renew";
