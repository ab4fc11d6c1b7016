-- Postal codes and addresses; a cancelled code keeps its row.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE GNAF (
    POSTCODE  CHAR(10) PRIMARY KEY,
    OSTAN     VARCHAR(40) NOT NULL,
    SHAHR     VARCHAR(40) NOT NULL,
    NESHANI   VARCHAR(300) NOT NULL,
    X_E7   INTEGER NOT NULL,
    Y_E7   INTEGER NOT NULL,
    BATEL     INTEGER NOT NULL DEFAULT 0
);
INSERT INTO GNAF VALUES
    ('1193653471', 'تهران', 'تهران', 'خیابان نمونه، کوچه یکم، پلاک ۱', 514301500, 358001000, 0),
    ('1619735744', 'تهران', 'تهران', 'خیابان نمونه، کوچه دوم، پلاک ۴۰', 512104000, 357403000, 1);
