-- Gas: places where nothing may be built, and the spare capacity of each station's area.
-- A place is a box of micro-degrees (degrees times 1,000,000).
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE MAHDUDE (
    SHARH      VARCHAR(80) NOT NULL,
    NOE        CHAR(1) NOT NULL,           -- H protected zone, F area of a station
    GHARB INTEGER NOT NULL, SHARGH INTEGER NOT NULL, JONUB INTEGER NOT NULL, SHOMAL INTEGER NOT NULL,
    ZARFIAT    INTEGER NOT NULL            -- F: what is left; H: 0
);
INSERT INTO MAHDUDE VALUES
    ('خط تغذیه ۲۵۰ پوند نمونه', 'H', 51205000, 51207000, 35720000, 35760000, 0),
    ('ایستگاه نمونه ۳', 'F', 51400000, 51460000, 35780000, 35830000, 250),
    ('ایستگاه نمونه ۹', 'F', 51180000, 51230000, 35720000, 35760000, 250);
